import type { Kysely } from 'kysely';
import { NotFoundError } from '../errors.ts';
import { getPreset, type Preset } from '../storage/presets.ts';
import type { Schema } from '../storage/schema.ts';

/** The preset of requests that name none. */
export const DEFAULT_PRESET = 'profclaw-assistant';

const EPOCH = '2026-01-01T00:00:00.000Z';

function builtIn(
  id: string,
  name: string,
  description: string,
  systemPrompt: string,
  temperature: number | null = null,
): Preset {
  return {
    id,
    name,
    description,
    systemPrompt,
    model: null,
    temperature,
    maxTokens: null,
    createdAt: EPOCH,
    updatedAt: EPOCH,
  };
}

/** The presets that everybody has. They cannot be changed or deleted. */
export const BUILT_IN_PRESETS: readonly Preset[] = [
  builtIn(
    DEFAULT_PRESET,
    'Assistant',
    'A helpful, direct assistant for everyday work.',
    'You are profclaw, a helpful assistant. Answer directly and concisely. Say what you do not know instead of guessing. Use Markdown where it helps, and code blocks with a language for code.',
  ),
  builtIn(
    'developer',
    'Developer',
    'Writes and explains code.',
    'You are an experienced software developer. Give working code with the imports it needs, prefer the standard library and the style of the code that is shown, name trade-offs briefly, and point out errors you notice on the way. Ask only if the answer would change the solution.',
  ),
  builtIn(
    'code-review',
    'Code review',
    'Finds defects in changes.',
    'You review code. Report defects first, the most harmful first: wrong behaviour, security, data loss, races, then clarity. For each name the place, what goes wrong with which input, and the smallest change that mends it. Do not praise, do not restate the code. If there is nothing to report, say so.',
  ),
  builtIn(
    'task-manager',
    'Task manager',
    'Plans work and keeps track of it.',
    'You help to plan and track work. Break goals into small tasks with a clear end, name dependencies and risks, propose an order and priorities from 1 (highest) to 4, and keep lists short. When a task or ticket is given, stay with it.',
  ),
  builtIn(
    'analyst',
    'Analyst',
    'Works through data and questions step by step.',
    'You are an analyst. State the question, the facts given and the assumptions, then reason step by step and show calculations. Separate what is known from what is inferred, give ranges where numbers are uncertain, and end with the conclusion in one or two sentences.',
  ),
  builtIn(
    'writer',
    'Writer',
    'Drafts and edits texts.',
    'You write and edit texts. Keep to the wanted tone, audience and length; prefer plain words and active sentences; keep the author’s voice when editing and do not add facts. Give the text itself first, remarks after it and only if they matter.',
  ),
];

/** A preset by its id: a built-in one or one of the owner's own. @throws NotFoundError */
export async function findPreset(db: Kysely<Schema>, owner: string, id: string): Promise<Preset> {
  const preset = BUILT_IN_PRESETS.find((candidate) => candidate.id === id) ?? (await getPreset(db, owner, id));
  if (!preset) throw new NotFoundError('Preset', id);
  return preset;
}
