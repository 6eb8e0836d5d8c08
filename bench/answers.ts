/** How many content deltas a streamed answer has. */
export const CHUNKS = 500;

/** What both sides are asked; the model is named as a caller of OpenAI names it. */
export const REQUEST = {
  model: 'gpt-4o-mini',
  messages: [
    { role: 'system', content: 'You are a helpful assistant. Answer in a few clear sentences.' },
    { role: 'user', content: 'How does a tide come about, and why are there two of them on most days?' },
  ],
};

const HEAD = {
  id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
  created: 1741570283,
  model: 'gpt-4o-mini-2024-07-18',
  service_tier: 'default',
  system_fingerprint: 'fp_06737a9306',
};

/** The deltas of a stream, again and again. */
export const WORDS = [
  'The',
  ' moon',
  ' pulls',
  ' on',
  ' the',
  ' sea',
  ',',
  ' and',
  ' the',
  ' "far"',
  ' side',
  ' lags',
  '.\n',
];

/** The text that the deltas make together. */
export const STREAM_TEXT = Array.from({ length: CHUNKS }, (_, i) => WORDS[i % WORDS.length] ?? '').join('');

/** The text of the whole answer; the answer around it is about 1 KB. */
export const WHOLE_TEXT = STREAM_TEXT.slice(0, 400);

const USAGE = {
  prompt_tokens: 38,
  completion_tokens: CHUNKS,
  total_tokens: 38 + CHUNKS,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

/** A whole answer as OpenAI sends it. */
export const WHOLE_BODY = JSON.stringify({
  ...HEAD,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: WHOLE_TEXT, refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: USAGE,
});

/** A streamed answer as OpenAI sends it, event by event: the role, 500 deltas, the finish, the usage, `[DONE]`. */
export const STREAM_CHUNKS: readonly string[] = [
  chunk([{ index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null }]),
  ...Array.from({ length: CHUNKS }, (_, i) =>
    chunk([{ index: 0, delta: { content: WORDS[i % WORDS.length] }, logprobs: null, finish_reason: null }]),
  ),
  chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]),
  chunk([], USAGE),
  'data: [DONE]\n\n',
];

function chunk(choices: object[], usage?: object): string {
  return `data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices, ...(usage ? { usage } : {}) })}\n\n`;
}
