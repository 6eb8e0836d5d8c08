/** Has the browser store something as a file. `name`: without its ending; what no file system likes is left out. */
export function download(content: Blob, name: string, ending: string): void {
  const plain = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N} _-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 80);
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = `${plain || 'conversation'}.${ending}`;
  link.click();
  // The download has begun by the time that this is carried out.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
