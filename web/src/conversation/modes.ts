/** What tools may do by themselves: docs/tools.md, in words for who chooses. */
export const MODES = [
  { value: 'deny', name: 'Chat only', means: 'The model has no tools: it only answers.' },
  { value: 'sandbox', name: 'Look only', means: 'Tools may read and run isolated commands; nothing is changed.' },
  { value: 'allowlist', name: 'By my rules', means: 'Tools do what a rule of yours allows; all else is refused.' },
  {
    value: 'ask',
    name: 'Ask first',
    means: 'Tools that only read run by themselves; for anything else you are asked.',
  },
  { value: 'full', name: 'Do all', means: 'Tools run without a question; only files with secrets are asked about.' },
] as const;

export type Mode = (typeof MODES)[number]['value'];

/** How hard the model tries, and how many steps it has. */
export const EFFORTS = [
  { value: 'low', name: 'Low: 5 steps' },
  { value: 'medium', name: 'Medium: 20 steps' },
  { value: 'high', name: 'High: 50 steps' },
  { value: 'max', name: 'Most: 200 steps' },
] as const;

export type Effort = (typeof EFFORTS)[number]['value'];
