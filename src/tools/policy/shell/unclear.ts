/** Why it cannot be told what a line starts: a part of a sentence. It never leaves the reader. */
export class Unclear extends Error {}
