import { errorReply } from '../http/envelope.ts';
import { NATIVE_WIRE, type Wire } from '../http/wire.ts';

/** Codes of JSON-RPC for what is refused before a message is looked at. @see https://www.jsonrpc.org/specification */
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
/** Of the range that is left to servers. */
const REFUSED = -32_000;

/** Keys and limits as in our own API; errors are JSON-RPC's, with our code and the request's id in `data`. */
export const MCP_WIRE: Wire = {
  ...NATIVE_WIRE,
  errorReply: (error, requestId) => {
    const { status, headers } = errorReply(error, requestId);
    const { message, details } = error;
    const code =
      error.code === 'invalid_json' ? PARSE_ERROR : error.code === 'invalid_request' ? INVALID_REQUEST : REFUSED;
    const data = { code: error.code, requestId, ...(details ? { details } : {}) };
    return { status, headers, body: { jsonrpc: '2.0', id: null, error: { code, message, data } } };
  },
};
