import { editFile } from '../../../src/tools/builtin/edit-file.ts';
import { toolContext } from '../rig.ts';

// Stands for one of several servers that edit the same file at once: it puts so many lines before the last one, and
// tries again where it is told to.

const [, , workspace = '', name = '', count = '0'] = process.argv;
const context = toolContext({ workspace });
for (let number = 0; number < Number(count); number++) {
  for (;;) {
    const { text, isError } = await editFile.run(
      { path: 'list.txt', old: 'end\n', new: `${name}-${number}\nend\n` },
      context,
    );
    if (!isError) break;
    if (!text.includes('try again')) throw new Error(text);
  }
}
