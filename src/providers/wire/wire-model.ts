import type { ChatModel } from '../chat-model.ts';
import type { Profile } from '../profiles.ts';
import { pathSegment } from '../protocols/path-segment.ts';
import { mediaBehindResults } from '../protocols/result-media.ts';
import { type Endpoint, urlOf } from '../settings/endpoint.ts';
import type { HttpClient } from '../transport/client.ts';
import { checkAttachments } from './attachments.ts';
import { fitResultMedia } from './fit-result-media.ts';
import { ModelFactsCache, modelFacts } from './model-facts.ts';
import { readRefusal } from './refusal.ts';
import { project } from './transcript.ts';
import { WireAnswer } from './wire-answer.ts';
import { protocolOf } from './wires.ts';

/** A call waits no longer than this to learn of its model. */
const FACTS_LIMIT_MS = 1000;

/** A vendor over the network: its row, its address and the wire it speaks make a {@link ChatModel}. */
export function wireModel(type: string, profile: Profile, endpoint: Endpoint, client: HttpClient): ChatModel {
  const known = new ModelFactsCache();
  return {
    chat: async (asked, signal, patienceMs) => {
      if (profile.attachments) checkAttachments(asked.messages, profile.attachments, profile.name);
      const protocol = protocolOf(profile, endpoint, asked.model);
      const answer = new WireAnswer(profile, endpoint, protocol);
      const ids = profile.quirks.toolCallIds ?? protocol.toolCallIds;
      const warnings: string[] = [];
      const fitting = fitResultMedia(asked, profile, protocol, warnings);
      const given = protocol.takesResultMedia?.(profile.quirks) ? fitting : mediaBehindResults(fitting);
      const messages = project(given, { provider: type, model: asked.model }, ids);
      const request = { ...asked, messages };
      const ask = protocol.facts?.matter(request)
        ? () => modelFacts(profile, endpoint, client, request.model, AbortSignal.timeout(FACTS_LIMIT_MS))
        : undefined;
      const lowered = protocol.lower(request, profile.quirks, await known.of(request.model, ask));
      known.note(request.model, lowered.window);
      const { body } = lowered;
      warnings.push(...lowered.warnings);
      const deployment = endpoint.namesDeployment ? `/deployments/${pathSegment(request.model)}` : '';
      const upstream = await client.sendWithRetries(
        {
          method: 'POST',
          url: urlOf(endpoint, deployment + lowered.path),
          headers: { 'content-type': 'application/json', ...endpoint.headers },
          body: JSON.stringify(body),
          provider: profile.name,
        },
        signal,
        (refused) => readRefusal(profile, endpoint, refused),
        patienceMs,
      );
      return { warnings, events: request.stream ? answer.stream(upstream) : answer.whole(upstream) };
    },
  };
}
