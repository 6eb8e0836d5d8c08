import { createContext, type ReactNode, useContext } from 'react';
import { linkTarget } from './links.ts';

/** Is there a link around already? One within another would be no valid page. */
const WithinLink = createContext(false);

/**
 * A link in somebody else's text: to the web or a mailbox, in another tab, and it says where it leads if its text does
 * not; anything else is plain text.
 * @param text what the children show.
 */
export function Link({ address, text, children }: { address: string; text: string; children: ReactNode }): ReactNode {
  const isWithin = useContext(WithinLink);
  const target = isWithin ? undefined : linkTarget(address, text);
  if (!target) return children;
  return (
    <WithinLink value={true}>
      <a href={target.href} target="_blank" rel="noopener noreferrer">
        <bdi>{children}</bdi>
        {target.warning !== undefined && <span className="md-target"> ({target.warning})</span>}
      </a>
    </WithinLink>
  );
}
