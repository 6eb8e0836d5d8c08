// Before anything is painted: the theme that was chosen. Whatever changes here needs another name: browsers keep it.
try {
  const theme = localStorage.getItem('profclaw.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing has no choice either.
}
