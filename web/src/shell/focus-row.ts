/** Focuses a conversation's row, which the list may have to put into the page and measure first: a matter of frames. */
export function focusRow(id: string, tries = 20): void {
  requestAnimationFrame(() => {
    const link = document.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"] a`);
    link?.focus({ preventScroll: true });
    // What is not measured yet is hidden, and does not take the focus.
    if (tries > 0 && (!link || document.activeElement !== link)) focusRow(id, tries - 1);
  });
}
