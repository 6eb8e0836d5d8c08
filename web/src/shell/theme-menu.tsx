import { Monitor, Moon, Sun } from 'lucide-react';
import type { ReactNode } from 'react';
import { Menu } from '../ui/menu.tsx';
import { type Theme, useTheme } from './theme.ts';

const THEMES: readonly [Theme, string, typeof Sun][] = [
  ['system', 'As the system', Monitor],
  ['light', 'Light', Sun],
  ['dark', 'Dark', Moon],
];

/** Chooses between light and dark. */
export function ThemeMenu(): ReactNode {
  const [theme, choose] = useTheme();
  const items = THEMES.map(([one, label, Icon]) => ({
    label,
    icon: <Icon size={16} aria-hidden="true" />,
    isChecked: one === theme,
    run: () => choose(one),
  }));
  const Icon = THEMES.find(([one]) => one === theme)?.[2] ?? Monitor;
  return (
    <Menu label="Theme" items={items}>
      <Icon size={18} aria-hidden="true" />
    </Menu>
  );
}
