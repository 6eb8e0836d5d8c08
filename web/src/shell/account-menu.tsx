import { CircleUser, LogOut, Settings } from 'lucide-react';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import { logOut } from '../login/log-out.ts';
import { useMe } from '../login/use-me.ts';
import { Menu } from '../ui/menu.tsx';
import { toast } from '../ui/toast.tsx';
import { deleteNow } from './deletions.ts';

/** Who is logged in, and out again; nothing where nobody has to log in. */
export function AccountMenu(): ReactNode {
  const { user, via } = useMe();
  const [, go] = useLocation();
  if (via === 'local') return null;
  const leave = async (): Promise<void> => {
    try {
      await deleteNow();
      await logOut();
    } catch (error) {
      toast(`You are still logged in: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const account = {
    label: 'Account',
    icon: <Settings size={16} aria-hidden="true" />,
    run: () => go('/settings/account'),
  };
  const name = user?.name || user?.email || 'Access key';
  return (
    <Menu
      label={`Account: ${name}`}
      className="quiet frame-account"
      items={[
        ...(user ? [account] : []),
        { label: 'Log out', icon: <LogOut size={16} aria-hidden="true" />, run: () => void leave() },
      ]}
    >
      <CircleUser size={18} aria-hidden="true" />
      <bdi>{name}</bdi>
    </Menu>
  );
}
