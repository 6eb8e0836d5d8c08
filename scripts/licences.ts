import type { Plugin } from 'rolldown';
import { licensePlugin } from 'rolldown-license-plugin';

/** Of what is bundled; others ask for more than to be named. */
const ALLOWED = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'Unlicense'];

/** Writes the licences of all that is bundled into `licences.txt`, as they ask for. An unknown one fails the build. */
export function licences(): Plugin {
  return licensePlugin({
    allow: ({ license }) => ALLOWED.includes(license),
    failOnViolation: true,
    failOnUnlicensed: true,
    done: (packages, context) => {
      const source = packages
        .map(({ name, version, license, licenseText }) => `${name} ${version} (${license})\n\n${licenseText}`)
        .join('\n\n----\n\n');
      context.emitFile({ type: 'asset', fileName: 'licences.txt', source });
    },
  });
}
