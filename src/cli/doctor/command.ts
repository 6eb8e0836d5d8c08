import { type Config, ConfigError } from '../../config.ts';
import type { DoctorOptions } from '../doctor.ts';
import type { Terminal } from '../terminal.ts';
import { examineDatabase, type OpenParts } from './database.ts';
import { type Finding, failed, reasonOf } from './finding.ts';
import { examineHome } from './home.ts';
import { examineProgram } from './program.ts';
import { examineProviders } from './providers.ts';
import { count, type Section, writeReport, writeSection, writeSum } from './report.ts';
import { examineServer } from './server.ts';
import { examineSettings, wrongSettings } from './settings.ts';
import { examineTools } from './tools.ts';

/** Looks at everything, one group after another, and says what it found. Ends with 1 if anything has failed. */
export async function doctorCommand(terminal: Terminal, options: DoctorOptions): Promise<void> {
  const sections: Section[] = [];
  const say = async (title: string, look: () => Promise<Finding[]> | Finding[]): Promise<void> => {
    const section = { title, findings: await foundBy(title, look) };
    sections.push(section);
    if (!options.json) writeSection(terminal, section);
  };
  await say('Program', examineProgram);
  const config = settingsOf(terminal);
  if (config instanceof ConfigError) await say('Settings', () => wrongSettings(config, options));
  else await lookAtAll(config, options, say);
  if (options.json) writeReport(terminal, sections);
  else writeSum(terminal, sections);
  if (count(sections).failed > 0) terminal.exitCode(1);
}

async function lookAtAll(
  config: Config,
  options: DoctorOptions,
  say: (title: string, look: () => Promise<Finding[]> | Finding[]) => Promise<void>,
): Promise<void> {
  await say('Settings', () => examineSettings(config, options));
  await say('Home folder', () => examineHome(config));
  let parts: OpenParts = {};
  await say('Database', async () => {
    const { findings, ...open } = await examineDatabase(config);
    parts = open;
    return findings;
  });
  await say('Server', () => examineServer(config, parts.credentials));
  await say('Providers', () => examineProviders(config, parts.isUsable === true));
  await say('Tools', () => examineTools(config));
}

/** What looks at something must not keep the rest from being looked at. */
async function foundBy(title: string, look: () => Promise<Finding[]> | Finding[]): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [failed(title.toLowerCase(), `could not be looked at: ${reasonOf(error)}`)];
  }
}

function settingsOf(terminal: Terminal): Config | ConfigError {
  try {
    return terminal.config();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}
