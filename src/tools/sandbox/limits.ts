/** How much a command may take, with all that it starts. Sizes in bytes. */
export interface Limits {
  /** Of all its processes together. */
  memory: number;
  /** Processes and threads at a time. */
  tasks: number;
  /** Seconds of a processor, of all its processes together. */
  cpuSeconds: number;
  /** Of one file that it writes. */
  fileSize: number;
  /** Open at a time in one process. */
  openFiles: number;
  /** What it may write to standard output and standard error. */
  output: number;
  /** Of its `/tmp`, and as much again of its home folder. */
  scratch: number;
  /** What has to stay free on the disk of the workspace; less, if it had less than twice of it before. */
  freeDisk: number;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Enough to build and test most projects. */
export const DEFAULT_LIMITS: Limits = {
  memory: 2 * GIB,
  tasks: 512,
  cpuSeconds: 600,
  fileSize: GIB,
  openFiles: 4096,
  output: 64 * MIB,
  scratch: 512 * MIB,
  freeDisk: GIB,
};

/** What can end a command. */
export type ExceededLimit = 'memory' | 'tasks' | 'cpuSeconds' | 'output' | 'freeDisk';

/** What a command did that ended it: the end of a sentence that begins with `killed: `. */
export function describeExceeded(limit: ExceededLimit, limits: Limits): string {
  switch (limit) {
    case 'memory':
      return `it used more than ${describeSize(limits.memory)} of memory`;
    case 'tasks':
      return `it had more than ${limits.tasks} processes and threads at a time`;
    case 'cpuSeconds':
      return `it used a processor for more than ${limits.cpuSeconds} s`;
    case 'output':
      return `it wrote more than ${describeSize(limits.output)} to its output`;
    case 'freeDisk':
      return 'it left too little free space on the disk of the workspace';
  }
}

const SIGXFSZ_EXIT = 128 + 25;

/** What an exit code says of a limit that the system keeps by itself: a part of a sentence. */
export function describeExit(exitCode: number, limits: Limits): string | undefined {
  return exitCode === SIGXFSZ_EXIT ? `a file may have ${describeSize(limits.fileSize)} at most` : undefined;
}

/** `2 GiB`, `512 MiB`; of less than a KiB, `100 bytes`. */
function describeSize(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${units[power]}`;
}
