import { HttpClient } from '../../providers/transport/client.ts';
import type { DoctorOptions } from '../doctor.ts';
import { onOneLine, styleOf } from '../style.ts';
import { type Terminal, writeLine } from '../terminal.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { cohereChat } from './cohere-chat.ts';
import { TRIES } from './fake-server.ts';
import type { FakeWire } from './fake-wire.ts';
import { gemini } from './gemini.ts';
import { ollamaChat } from './ollama-chat.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import { type Outcome, tryWire } from './try-wire.ts';

const WIRES: readonly FakeWire[] = [openaiChat, openaiResponses, anthropicMessages, gemini, ollamaChat, cohereChat];
const TIMEOUTS = { connect: 5000, firstByte: 5000, idle: 5000 };
const NAME_WIDTH = 20;
const CELL_WIDTH = 10;

/** Tries every wire against fakes of this process, and says how it went. Ends with 1 if anything was not as it should be. */
export async function simCommand(terminal: Terminal, { json }: DoctorOptions): Promise<void> {
  const client = new HttpClient(TIMEOUTS);
  const results: { wire: string; outcomes: Outcome[] }[] = [];
  try {
    if (!json)
      writeLine(
        terminal,
        styleOf(terminal.output).bold(
          row(
            'WIRE',
            TRIES.map((name) => name.toUpperCase()),
          ),
        ),
      );
    for (const wire of WIRES) {
      const outcomes = await tryWire(wire, client);
      results.push({ wire: wire.wire, outcomes });
      if (!json) writeLine(terminal, row(wire.wire, outcomes.map(cellOf)));
    }
  } finally {
    await client.close();
  }
  const wrong = results.flatMap(({ wire, outcomes }) =>
    outcomes.filter(isWrong).map((outcome) => ({ wire, ...outcome })),
  );
  if (wrong.length > 0) terminal.exitCode(1);
  if (json) {
    const tries = results.flatMap(({ wire, outcomes }) => outcomes.map((outcome) => ({ wire, ...outcome })));
    writeLine(terminal, JSON.stringify({ ok: wrong.length === 0, tries }, null, 2));
    return;
  }
  writeLine(terminal, '');
  for (const { wire, tried, problem = '' } of wrong)
    writeLine(terminal, `✗ failed  ${wire}, ${tried}: ${onOneLine(problem)}`);
  const count = results.length * TRIES.length;
  writeLine(
    terminal,
    wrong.length === 0
      ? `All ${count} tries went as they should; times are in milliseconds.`
      : `${wrong.length} of ${count} tries failed: this program speaks a protocol wrongly. Please report it.`,
  );
}

function isWrong({ problem }: Outcome): boolean {
  return problem !== undefined;
}

function cellOf({ ms, problem }: Outcome): string {
  return problem === undefined ? `✓ ${ms.toFixed(1)}` : '✗ failed';
}

function row(name: string, cells: readonly string[]): string {
  return `${name.padEnd(NAME_WIDTH)}${cells.map((cell) => cell.padEnd(CELL_WIDTH)).join('')}`.trimEnd();
}
