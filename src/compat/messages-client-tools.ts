import type { JsonObject } from '../core/json.ts';

/** A tool as the caller would describe one of its own. */
interface DescribedTool {
  name: string;
  description: string;
  input_schema: JsonObject;
}

const path = { type: 'string', description: 'Absolute path of a file or folder.' };
const editing = {
  path,
  file_text: { type: 'string', description: 'For create: all of the new file.' },
  old_str: { type: 'string', description: 'For str_replace: the text that is replaced; it must occur exactly once.' },
  new_str: { type: 'string', description: 'For str_replace: what takes its place.' },
  insert_line: { type: 'integer', description: 'For insert: the line after which; 0 is the beginning.' },
  view_range: {
    type: 'array',
    items: { type: 'integer' },
    minItems: 2,
    maxItems: 2,
    description: 'For view: first and last line, from 1; -1 is the last.',
  },
};
const inserted = { type: 'string', description: 'For insert: the text.' };

function commanded(commands: readonly string[], properties: JsonObject, required: readonly string[]): JsonObject {
  return {
    type: 'object',
    properties: { command: { type: 'string', enum: [...commands] }, ...properties },
    required: ['command', ...required],
  };
}

const bash: DescribedTool = {
  name: 'bash',
  description: 'Runs a command in a shell that goes on from call to call; restart begins a new one.',
  input_schema: { type: 'object', properties: { command: { type: 'string' }, restart: { type: 'boolean' } } },
};

function editor(name: string, isNewest: boolean, canUndo: boolean): DescribedTool {
  const commands = ['view', 'create', 'str_replace', 'insert', ...(canUndo ? ['undo_edit'] : [])];
  const { new_str: replaced, ...others } = editing;
  const properties = isNewest
    ? { ...editing, insert_text: inserted }
    : { ...others, new_str: { ...replaced, description: `${replaced.description} For insert: the text.` } };
  return {
    name,
    description: 'Looks at files and folders, and creates and edits files.',
    input_schema: commanded(commands, properties, ['path']),
  };
}

const memory: DescribedTool = {
  name: 'memory',
  description:
    'Keeps notes in files under /memories, across conversations. Look there (view /memories) before you begin, and write down what should not be lost.',
  input_schema: commanded(
    ['view', 'create', 'str_replace', 'insert', 'delete', 'rename'],
    {
      ...editing,
      insert_text: inserted,
      old_path: { type: 'string', description: 'For rename.' },
      new_path: { type: 'string', description: 'For rename.' },
    },
    [],
  ),
};

/**
 * Tools that Anthropic's models know without a description, and that the caller carries out: described, any model can
 * call them with the same arguments. @see https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/bash-tool (and its
 * neighbours text-editor-tool and memory-tool)
 */
const CLIENT_TOOLS: Readonly<Record<string, DescribedTool>> = {
  bash_20241022: bash,
  bash_20250124: bash,
  text_editor_20241022: editor('str_replace_editor', false, true),
  text_editor_20250124: editor('str_replace_editor', false, true),
  text_editor_20250429: editor('str_replace_based_edit_tool', false, false),
  text_editor_20250728: editor('str_replace_based_edit_tool', true, false),
  memory_20250818: memory,
};

/** What such a type of tool stands for; undefined for any other. */
export function clientTool(type: unknown): DescribedTool | undefined {
  return typeof type === 'string' && Object.hasOwn(CLIENT_TOOLS, type) ? CLIENT_TOOLS[type] : undefined;
}
