// biome-ignore-all lint/style/noExcessiveLinesPerFile: made by scripts/client-types.ts, not to be edited

/** The `POST`s that take an `Idempotency-Key`. */
export const CREATING: readonly string[] = [
  '/api/chat/completions',
  '/api/chat/quick',
  '/api/chat/smart',
  '/api/chat/conversations',
  '/api/chat/conversations/{id}/messages',
  '/api/chat/conversations/{id}/retry',
  '/api/chat/conversations/{id}/messages/with-tools',
  '/api/chat/conversations/{id}/messages/agentic',
  '/api/chat/runs/{id}/messages',
  '/api/chat/mcp/servers',
  '/api/chat/tools/rules',
  '/api/chat/conversations/{id}/compact',
  '/api/chat/conversations/{id}/fork',
  '/api/chat/conversations/import',
  '/api/chat/presets',
  '/api/tasks',
  '/api/tickets',
];

/** What is sent and answered, by path and method. */
export interface paths {
  '/api/chat/completions': {
    /** One answer, whole or streamed */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            messages: components['schemas']['Message'][];

            /** An id, `provider/model` or an alias; absent: the default. */
            model?: string | undefined;

            /** Stands before the messages. */
            systemPrompt?: string | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;

            /** Only the likeliest words that together have this share of the chances. */
            topP?: number | undefined;

            /** Only so many of the likeliest words. */
            topK?: number | undefined;

            /** Texts before which the answer ends. */
            stop?: string | string[] | undefined;

            /** The same again for the same request, as far as the provider manages. */
            seed?: number | undefined;

            /** Against words by how often they have come. */
            frequencyPenalty?: number | undefined;

            /** Against words that have come at all. */
            presencePenalty?: number | undefined;

            /** For or against single tokens, by their ids. */
            logitBias?: Record<string, number> | undefined;

            /** How many likely tokens to name for each place of the text, beside the one that was chosen. */
            logprobs?: number | undefined;

            /** The form of the answer’s text. */
            responseFormat?:
              | { type: 'json' }
              | {
                  type: 'json-schema';

                  /** A JSON Schema. */
                  schema: Record<string, unknown>;
                  name?: string | undefined;
                  description?: string | undefined;

                  /** Must the answer fit exactly, where the provider sees to that? */
                  strict?: boolean | undefined;
                }
              | undefined;

            /** May several tools be called at once? Absent: as the model does. */
            parallelToolCalls?: boolean | undefined;

            /** How hard to reason; left out for models that cannot be told. */
            effort?: 'low' | 'medium' | 'high' | 'max' | undefined;
            stream?: boolean | undefined;

            /** Its history comes before the messages, and the exchange is kept in it. */
            conversationId?: string | undefined;

            /** Puts this task into the prompt, as data. */
            taskId?: string | undefined;

            /** Puts this ticket (id or key) into the prompt, as data. */
            ticketId?: string | undefined;

            /** Your own tools; calls come back to you. */
            tools?:
              | {
                  name: string;
                  description?: string | undefined;

                  /** A JSON Schema of type object. */
                  parameters: Record<string, unknown>;

                  /** Must the arguments fit the schema exactly, where the provider sees to that? */
                  strict?: boolean | undefined;
                }[]
              | undefined;

            /** `auto`, `none`, `required`, or the name of one of the tools. */
            toolChoice?: string | undefined;

            /** Models tried in order if the one before fails before its first byte or is cooling down. */
            fallbacks?: string[] | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': components['schemas']['Completion'];
            'text/event-stream': components['schemas']['CompletionEvent'];
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/quick': {
    /** One prompt, one answer */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            prompt: string;
            model?: string | undefined;
            systemPrompt?: string | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': {
              id: string;
              provider: string;
              model: string;
              finishReason:
                | 'stop'
                | 'length'
                | 'content-filter'
                | 'tool-calls'
                | 'approval-required'
                | 'error'
                | 'cancelled';
              usage: components['schemas']['Usage'];

              /** Milliseconds. */
              duration: number;

              /** The pages that the answer rests on, if the provider names them. */
              sources?: { url: string; title?: string | undefined }[] | undefined;

              /** One sentence for each parameter that the model does not take. */
              warnings?: string[] | undefined;

              /** What became of each model, in order, if more than one was tried or skipped. */
              attempts?: components['schemas']['Attempt'][] | undefined;
              content: string;
              reasoning?: string | undefined;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/smart': {
    /** An answer with a preset and the context of a task or ticket */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            messages: components['schemas']['Message'][];
            taskId?: string | undefined;
            ticketId?: string | undefined;
            presetId?: string | undefined;
            model?: string | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;
            stream?: boolean | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': components['schemas']['SmartCompletion'];
            'text/event-stream': components['schemas']['CompletionEvent'];
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations': {
    /** Conversations, the one with the newest activity first */
    get: {
      parameters: {
        path?: never;
        query?: {
          limit?: number | undefined;
          offset?: number | undefined;

          /** The nextCursor of the page before. */
          cursor?: string | undefined;
          taskId?: string | undefined;

          /** An id or a key. */
          ticketId?: string | undefined;

          /** Words, or their beginnings, that the title or one message has, all of them. */
          q?: string | undefined;
        };
        header?: never;
      };

      responses: {
        200: {
          content: {
            'application/json': {
              conversations: components['schemas']['Conversation'][];
              total: number;

              /** Null at the end. */
              nextCursor: string | null;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Begin a conversation */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            /** Absent: made of the first message. */
            title?: string | undefined;

            /** Applied now: later changes of the preset change nothing here. */
            presetId?: string | undefined;
            taskId?: string | undefined;

            /** An id or a key. */
            ticketId?: string | undefined;
            model?: string | undefined;

            /** Instead of the preset’s; null: none. */
            systemPrompt?: string | null | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;
            metadata?: Record<string, unknown> | undefined;
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { conversation: components['schemas']['Conversation'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}': {
    /** Read a conversation with its last messages, oldest first */
    get: {
      parameters: {
        path: { id: string };
        query?: {
          limit?: number | undefined;

          /** Only messages before this `seq`. */
          before?: number | undefined;
        };
        header?: never;
      };

      responses: {
        200: {
          content: {
            'application/json': {
              conversation: components['schemas']['Conversation'];
              messages: components['schemas']['ConversationMessage'][];

              /** There are messages before these: ask again with `before`. */
              hasMore: boolean;
              nextBefore: number | null;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Change a conversation; what is not given stays */
    patch: {
      parameters: { path: { id: string }; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            title?: string | undefined;

            /** Applied now, with its prompt and model, before what else is given. */
            presetId?: string | undefined;
            model?: string | null | undefined;
            systemPrompt?: string | null | undefined;
            temperature?: number | null | undefined;
            maxTokens?: number | null | undefined;

            /** In place of all there was. */
            metadata?: Record<string, unknown> | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { conversation: components['schemas']['Conversation'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Delete a conversation with everything in it */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/messages': {
    /** Send a message and get the answer, whole or streamed */
    post: {
      parameters: { path: { id: string }; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            content:
              | string
              | (
                  | { type: 'text'; text: string }
                  | {
                      type: 'image';

                      /** A data URL with base64, or an https URL. */
                      image: string;
                    }
                  | {
                      type: 'file';

                      /** A data URL with base64, or an https URL. */
                      file: string;
                      filename?: string | undefined;
                    }
                )[];

            /** For this message; absent: the conversation’s, else the default. */
            model?: string | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;
            stream?: boolean | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': components['schemas']['TurnAnswer'];
            'text/event-stream': components['schemas']['TurnEvent'];
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/retry': {
    /** Try the failed message at the end of a conversation again, as it was asked */
    post: {
      parameters: { path: { id: string }; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            /** For this message; absent: the conversation’s, else the default. */
            model?: string | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;
            stream?: boolean | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': components['schemas']['TurnAnswer'] | components['schemas']['ToolTurn'];
            'text/event-stream': components['schemas']['TurnEvent'] | components['schemas']['ToolTurnEvent'];
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/messages/{messageId}': {
    /** Delete a message and all that followed it */
    delete: {
      parameters: { path: { id: string; messageId: string }; query?: never; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              message: string;

              /** How many messages. */
              deleted: number;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/messages/with-tools': {
    /** Send a message that the model may answer with tools */
    post: {
      parameters: { path: { id: string }; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            content:
              | string
              | (
                  | { type: 'text'; text: string }
                  | {
                      type: 'image';

                      /** A data URL with base64, or an https URL. */
                      image: string;
                    }
                  | {
                      type: 'file';

                      /** A data URL with base64, or an https URL. */
                      file: string;
                      filename?: string | undefined;
                    }
                )[];
            enableTools?: boolean | undefined;

            /** `deny`: no tools; `sandbox`: isolated, read-only; `allowlist`: what a rule allows; `ask`; `full`. */
            securityMode?: 'deny' | 'sandbox' | 'allowlist' | 'ask' | 'full' | undefined;
            model?: string | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;

            /** Names of tools; absent: all. */
            tools?: string[] | undefined;
            maxRoundtrips?: number | undefined;
            stream?: boolean | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': components['schemas']['ToolTurn'];
            'text/event-stream': components['schemas']['ToolTurnEvent'];
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/messages/agentic': {
    /** Start an agent’s run and watch it */
    post: {
      parameters: { path: { id: string }; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            content:
              | string
              | (
                  | { type: 'text'; text: string }
                  | {
                      type: 'image';

                      /** A data URL with base64, or an https URL. */
                      image: string;
                    }
                  | {
                      type: 'file';

                      /** A data URL with base64, or an https URL. */
                      file: string;
                      filename?: string | undefined;
                    }
                )[];
            model?: string | undefined;

            /** Of the model, if its name does not say it. */
            provider?: string | undefined;
            temperature?: number | undefined;
            maxTokens?: number | undefined;
            showThinking?: boolean | undefined;

            /** Absent: by the effort. */
            maxSteps?: number | undefined;

            /** Tokens, of all steps together. */
            maxBudget?: number | undefined;

            /** low 5, medium 20, high 50, max 200 steps. */
            effort?: 'low' | 'medium' | 'high' | 'max' | undefined;

            /** `deny`: no tools; `sandbox`: isolated, read-only; `allowlist`: what a rule allows; `ask`; `full`. */
            securityMode?: 'deny' | 'sandbox' | 'allowlist' | 'ask' | 'full' | undefined;

            /** Names of tools; absent: all. */
            tools?: string[] | undefined;

            /** When the server dies in the middle of a call whose effect is unsafe: `resume` and `ask` ask a person whether to repeat it, `fail` fails the run. `ask` asks about every call that had begun. */
            onCrash?: 'resume' | 'ask' | 'fail' | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'text/event-stream': components['schemas']['RunEvent'] } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/runs': {
    /** Runs, the newest first */
    get: {
      parameters: {
        path?: never;
        query?: {
          conversationId?: string | undefined;
          status?: 'queued' | 'running' | 'waiting_approval' | 'completed' | 'failed' | 'cancelled' | undefined;
          limit?: number | undefined;

          /** The nextCursor of the page before. */
          cursor?: string | undefined;
        };
        header?: never;
      };

      responses: {
        200: { content: { 'application/json': { runs: components['schemas']['Run'][]; nextCursor: string | null } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/runs/{id}': {
    /** A run with its tool calls and approvals */
    get: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { run: components['schemas']['RunWithCalls'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/runs/{id}/events': {
    /** The events of a run, from the start or after one of them, live to the end */
    get: {
      parameters: {
        path: { id: string };
        query?: {
          /** The number of the last event seen. */
          after?: number | undefined;
        };
        header?: never;
      };

      responses: {
        200: { content: { 'text/event-stream': components['schemas']['RunEvent'] } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/runs/{id}/cancel': {
    /** Stop a run: its model call, its tool and all its processes */
    post: {
      parameters: { path: { id: string }; query?: never; header?: never };
      requestBody: { content: { 'application/json': Record<string, never> } };
      responses: {
        200: { content: { 'application/json': { run: components['schemas']['Run'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/runs/{id}/messages': {
    /** Say something to a run, which its model sees before its next step */
    post: {
      parameters: { path: { id: string }; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            content:
              | string
              | (
                  | { type: 'text'; text: string }
                  | {
                      type: 'image';

                      /** A data URL with base64, or an https URL. */
                      image: string;
                    }
                  | {
                      type: 'file';

                      /** A data URL with base64, or an https URL. */
                      file: string;
                      filename?: string | undefined;
                    }
                )[];
          };
        };
      };
      responses: {
        201: {
          content: {
            'application/json': {
              /** Of the message. */
              id: string;
              run: components['schemas']['Run'];
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/approvals': {
    /** Approvals, the newest first */
    get: {
      parameters: {
        path?: never;
        query?: {
          status?: 'pending' | 'allowed' | 'denied' | 'expired' | 'cancelled' | undefined;
          conversationId?: string | undefined;
          limit?: number | undefined;

          /** The nextCursor of the page before. */
          cursor?: string | undefined;
        };
        header?: never;
      };

      responses: {
        200: {
          content: {
            'application/json': { approvals: components['schemas']['Approval'][]; nextCursor: string | null };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/tools/approve': {
    /** Allow or refuse a tool call; the run goes on by itself */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            conversationId: string;
            approvalId: string;

            /** `allow-always` also makes a rule for this tool and these arguments. */
            decision: 'allow-once' | 'allow-always' | 'deny';

            /** In place of the model’s. */
            editedArguments?: Record<string, unknown> | undefined;

            /** The model reads it after `deny`. */
            reason?: string | undefined;

            /** Where the rule counts. */
            scope?: 'conversation' | 'user' | undefined;

            /** How long to wait for the reply, in milliseconds. */
            wait?: number | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': {
              /** False if the tool failed. */
              success: boolean;

              /** Of the tool; null: not there yet, or refused. */
              result: string | null;
              decision: 'allow-once' | 'allow-always' | 'deny';
              run: {
                id: string;
                status: 'queued' | 'running' | 'waiting_approval' | 'completed' | 'failed' | 'cancelled';
              };

              /** The finished reply, if it came in time. */
              message?: components['schemas']['ConversationMessage'] | undefined;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/tools': {
    /** The tools that runs may use, and how commands are isolated */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              tools: components['schemas']['Tool'][];
              sandbox: {
                /** What commands are isolated by on this host. */
                kind: 'bubblewrap' | 'none';

                /** True: there is no sandbox, and the operator lets commands run without one, in modes but `sandbox`. */
                unsandboxed: boolean;

                /** By what the memory and processes of a command are bounded. */
                bounds: 'cgroup' | 'watch';
              };
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/mcp/servers': {
    /** All MCP servers, with how they are; never waits for one */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { servers: components['schemas']['McpServer'][] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Add an MCP server; everybody’s runs may then use its tools */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            name: string;

            /** A program, by its name or path; no shell reads it */
            command?: string | undefined;
            args?: string[] | undefined;
            env?: Record<string, string> | undefined;
            cwd?: string | undefined;
            url?: string | undefined;
            headers?: Record<string, string> | undefined;
            enabled?: boolean | undefined;

            /** Only these of its tools, by the server’s own names */
            tools?: string[] | undefined;

            /** Levels of single tools, by the server’s own names, in place of what it says of them */
            levels?: Record<string, 'safe' | 'moderate' | 'dangerous'> | undefined;

            /** Seconds that a call may take without a sign of progress; 60 if absent */
            timeout?: number | undefined;
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { server: components['schemas']['McpServer'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/mcp/servers/{name}': {
    /** Change an MCP server; what is not given stays, null clears */
    patch: {
      parameters: { path: { name: string }; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            command?: string | null | undefined;
            args?: string[] | null | undefined;
            env?: Record<string, string> | null | undefined;
            cwd?: string | null | undefined;
            url?: string | null | undefined;
            headers?: Record<string, string> | null | undefined;
            enabled?: boolean | null | undefined;
            tools?: string[] | null | undefined;
            levels?: Record<string, 'safe' | 'moderate' | 'dangerous'> | null | undefined;
            timeout?: number | null | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { server: components['schemas']['McpServer'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Forget an MCP server; calls of its tools that are under way fail */
    delete: {
      parameters: { path: { name: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/mcp/servers/{name}/test': {
    /** Ask an MCP server now, and connect to it if need be; 200 either way */
    post: {
      parameters: { path: { name: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { server: components['schemas']['McpServer'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/tools/results/{id}': {
    /** A long result of a tool, a piece at a time */
    get: {
      parameters: {
        path: { id: string };
        query?: {
          /** The first character, counted from 0. */
          offset?: number | undefined;
          limit?: number | undefined;
        };
        header?: never;
      };

      responses: {
        200: { content: { 'application/json': components['schemas']['ToolResult'] } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/tools/rules': {
    /** Rules about tool calls, the newest first */
    get: {
      parameters: {
        path?: never;
        query?: {
          limit?: number | undefined;

          /** The nextCursor of the page before. */
          cursor?: string | undefined;
        };
        header?: never;
      };

      responses: {
        200: {
          content: { 'application/json': { rules: components['schemas']['ToolRule'][]; nextCursor: string | null } };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Allow or deny tool calls from now on */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            /** A name, or a glob of names: `mcp__github__*`. */
            tool: string;

            /** All that is given has to fit; empty: every call of the tool. */
            match?:
              | {
                  /** Words of a command, `git status *`; held against every simple command of the line. */
                  command?: string | undefined;

                  /** A glob of paths in the workspace, `src/**`; links are resolved first. */
                  path?: string | undefined;

                  /** `example.com`, or `*.example.com` for all below it; either with a port. */
                  host?: string | undefined;

                  /** Exactly these. */
                  arguments?: Record<string, unknown> | undefined;
                }
              | undefined;

            /** `deny` wins. */
            action: 'allow' | 'deny';

            /** `conversation` with a `conversationId`, else `user`. */
            scope?: 'conversation' | 'user' | undefined;
            conversationId?: string | undefined;

            /** Until when it holds; without it, for ever. */
            expiresAt?: string | undefined;
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { rule: components['schemas']['ToolRule'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/tools/rules/{id}': {
    /** Delete a rule */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/tools/explain': {
    /** What would happen to a tool call, and by which rule, without doing it */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            tool: string;
            arguments?: Record<string, unknown> | undefined;

            /** `deny`: no tools; `sandbox`: isolated, read-only; `allowlist`: what a rule allows; `ask`; `full`. */
            securityMode?: 'deny' | 'sandbox' | 'allowlist' | 'ask' | 'full' | undefined;

            /** Whose rules count as well. */
            conversationId?: string | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': components['schemas']['ToolDecision'] } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/tools/simulate': {
    /** What other rules would have said of the calls of the last runs */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            /** All that there would be; the stored ones do not count. */
            rules: {
              /** A name, or a glob of names: `mcp__github__*`. */
              tool: string;

              /** All that is given has to fit; empty: every call of the tool. */
              match?:
                | {
                    /** Words of a command, `git status *`; held against every simple command of the line. */
                    command?: string | undefined;

                    /** A glob of paths in the workspace, `src/**`; links are resolved first. */
                    path?: string | undefined;

                    /** `example.com`, or `*.example.com` for all below it; either with a port. */
                    host?: string | undefined;

                    /** Exactly these. */
                    arguments?: Record<string, unknown> | undefined;
                  }
                | undefined;

              /** `deny` wins. */
              action: 'allow' | 'deny';
            }[];

            /** Without it: that of each run. */
            securityMode?: 'deny' | 'sandbox' | 'allowlist' | 'ask' | 'full' | undefined;
            conversationId?: string | undefined;

            /** How many of the last runs. */
            runs?: number | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': {
              /** How many calls would be decided on otherwise. */
              changed: number;
              calls: {
                runId: string;
                conversationId: string;
                toolCallId: string;
                tool: string;
                arguments: Record<string, unknown>;

                /** What became of it. */
                status: string;

                /** By the stored rules. */
                stored: components['schemas']['ToolDecision'];

                /** By the rules given; `new:0` is the first of them. */
                proposed: components['schemas']['ToolDecision'];
              }[];
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/memory': {
    /** What the model sees of a conversation */
    get: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': components['schemas']['Memory'] } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/compact': {
    /** Summarise the older part of a conversation now */
    post: {
      parameters: { path: { id: string }; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            /** Who makes the summary. */
            model?: string | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { compaction: components['schemas']['Compaction'] | null } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Undo the last compaction */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': components['schemas']['Memory'] } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/fork': {
    /** Copy a conversation, up to a message or all of it */
    post: {
      parameters: { path: { id: string }; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            /** The last message to be copied. */
            messageId?: string | undefined;
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { conversation: components['schemas']['Conversation'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/{id}/export': {
    /** A whole conversation as JSON, which can be imported, or as Markdown */
    get: {
      parameters: { path: { id: string }; query?: { format?: 'json' | 'markdown' | undefined }; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              format: 'profclaw.conversation';
              version: 1;
              conversation: components['schemas']['Conversation'];
              messages: unknown[];
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/conversations/import': {
    /** Store a conversation that was exported, under new ids */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            format?: 'profclaw.conversation' | undefined;
            version?: 1 | undefined;
            conversation?:
              | {
                  title?: string | undefined;
                  presetId?: string | undefined;
                  taskId?: string | null | undefined;
                  ticketId?: string | null | undefined;

                  /** Null: the default of the moment; absent: the preset’s. */
                  model?: string | null | undefined;

                  /** Null: none; absent: the preset’s. */
                  systemPrompt?: string | null | undefined;
                  temperature?: number | null | undefined;
                  maxTokens?: number | null | undefined;
                  metadata?: Record<string, unknown> | undefined;
                }
              | undefined;
            messages: (
              | {
                  id?: unknown;
                  conversationId?: unknown;
                  seq?: unknown;
                  error?: unknown;
                  role: 'user';
                  content:
                    | string
                    | (
                        | { type: 'text'; text: string }
                        | {
                            type: 'image';

                            /** A data URL with base64, or an https URL. */
                            image: string;
                          }
                        | {
                            type: 'file';

                            /** A data URL with base64, or an https URL. */
                            file: string;
                            filename?: string | undefined;
                          }
                      )[];

                  /** Only complete ones are kept. */
                  status?: 'running' | 'complete' | 'failed' | undefined;
                  createdAt?: string | undefined;
                  reasoning?: null | undefined;
                  model?: null | undefined;
                  provider?: null | undefined;
                  tokenUsage?: null | undefined;
                  cost?: null | undefined;
                  finishReason?: null | undefined;
                  duration?: null | undefined;
                  toolCalls?:
                    | {
                        id: string;
                        name: string;
                        arguments: Record<string, unknown>;

                        /** What the model wrote, if it was not a JSON object. */
                        invalidArguments?: string | undefined;

                        /** Where it came from. */
                        origin?: { provider: string; model: string } | undefined;

                        /** What the provider wants back with this; opaque, to be sent back as it came. */
                        data?: Record<string, unknown> | undefined;
                        result?: string | null | undefined;
                        status?: 'pending' | 'running' | 'success' | 'error' | 'denied' | 'cancelled' | undefined;
                        duration?: number | null | undefined;

                        /** Means nothing here. */
                        resultId?: unknown;
                      }[]
                    | undefined;
                }
              | {
                  id?: unknown;
                  conversationId?: unknown;
                  seq?: unknown;
                  error?: unknown;
                  role: 'assistant';
                  content: string;

                  /** Only complete ones are kept. */
                  status?: 'running' | 'complete' | 'failed' | undefined;
                  createdAt?: string | undefined;
                  reasoning?: string | null | undefined;
                  parts?: components['schemas']['Parts'] | undefined;
                  sources?: { url: string; title?: string | undefined }[] | undefined;
                  model?: string | null | undefined;
                  provider?: string | null | undefined;
                  tokenUsage?: { prompt: number; completion: number; total: number } | null | undefined;
                  cost?: number | null | undefined;
                  finishReason?:
                    | (
                        | 'stop'
                        | 'length'
                        | 'content-filter'
                        | 'tool-calls'
                        | 'approval-required'
                        | 'error'
                        | 'cancelled'
                      )
                    | null
                    | undefined;
                  duration?: number | null | undefined;
                  toolCalls?:
                    | {
                        id: string;
                        name: string;
                        arguments: Record<string, unknown>;

                        /** What the model wrote, if it was not a JSON object. */
                        invalidArguments?: string | undefined;

                        /** Where it came from. */
                        origin?: { provider: string; model: string } | undefined;

                        /** What the provider wants back with this; opaque, to be sent back as it came. */
                        data?: Record<string, unknown> | undefined;
                        result?: string | null | undefined;
                        status?: 'pending' | 'running' | 'success' | 'error' | 'denied' | 'cancelled' | undefined;
                        duration?: number | null | undefined;

                        /** Means nothing here. */
                        resultId?: unknown;
                      }[]
                    | undefined;
                }
            )[];
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { conversation: components['schemas']['Conversation'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/presets': {
    /** The built-in presets, and a page of one’s own */
    get: {
      parameters: { path?: never; query?: { limit?: number | undefined; offset?: number | undefined }; header?: never };

      responses: {
        200: {
          content: {
            'application/json': { default: string; presets: components['schemas']['Preset'][]; total: number };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Create a preset of one’s own */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            name: string;
            description?: string | undefined;
            systemPrompt: string;
            model?: string | null | undefined;
            temperature?: number | null | undefined;
            maxTokens?: number | null | undefined;
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { preset: components['schemas']['Preset'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/presets/{id}': {
    /** Read a preset */
    get: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { preset: components['schemas']['Preset'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Change a preset of one’s own; what is not given stays */
    patch: {
      parameters: { path: { id: string }; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            name?: string | undefined;
            description?: string | undefined;
            systemPrompt?: string | undefined;
            model?: string | null | undefined;
            temperature?: number | null | undefined;
            maxTokens?: number | null | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { preset: components['schemas']['Preset'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Delete a preset of one’s own */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/models': {
    /** All models: the catalogue, with what the providers’ own lists add. Unknown is null */
    get: {
      parameters: {
        path?: never;
        query?: {
          provider?:
            | (
                | 'anthropic'
                | 'openai'
                | 'azure'
                | 'google'
                | 'groq'
                | 'xai'
                | 'mistral'
                | 'deepseek'
                | 'together'
                | 'fireworks'
                | 'cerebras'
                | 'openrouter'
                | 'cohere'
                | 'perplexity'
                | 'ollama'
                | 'demo'
              )
            | string
            | undefined;
        };
        header?: never;
      };

      responses: {
        200: {
          content: {
            'application/json': { models: components['schemas']['Model'][]; aliases: Record<string, string> };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/providers': {
    /** All providers, the custom ones last, with what is known of their health; never waits for one */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              default:
                | (
                    | 'anthropic'
                    | 'openai'
                    | 'azure'
                    | 'google'
                    | 'groq'
                    | 'xai'
                    | 'mistral'
                    | 'deepseek'
                    | 'together'
                    | 'fireworks'
                    | 'cerebras'
                    | 'openrouter'
                    | 'cohere'
                    | 'perplexity'
                    | 'ollama'
                    | 'demo'
                  )
                | string;

              /** null: only the provider could tell */
              defaultModel: string | null;
              providers: components['schemas']['Provider'][];
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/providers/default': {
    /** Set the provider, and model, of requests that name none */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            provider:
              | (
                  | 'anthropic'
                  | 'openai'
                  | 'azure'
                  | 'google'
                  | 'groq'
                  | 'xai'
                  | 'mistral'
                  | 'deepseek'
                  | 'together'
                  | 'fireworks'
                  | 'cerebras'
                  | 'openrouter'
                  | 'cohere'
                  | 'perplexity'
                  | 'ollama'
                  | 'demo'
                )
              | string;
            model?: string | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': {
              success: true;
              message: string;
              provider:
                | (
                    | 'anthropic'
                    | 'openai'
                    | 'azure'
                    | 'google'
                    | 'groq'
                    | 'xai'
                    | 'mistral'
                    | 'deepseek'
                    | 'together'
                    | 'fireworks'
                    | 'cerebras'
                    | 'openrouter'
                    | 'cohere'
                    | 'perplexity'
                    | 'ollama'
                    | 'demo'
                  )
                | string;
              model: string;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/providers/{type}/models': {
    /** The provider’s own list of models */
    get: {
      parameters: { path: { type: string }; query?: { refresh?: 'true' | 'false' | undefined }; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              models: {
                id: string;
                name: string;
                provider:
                  | (
                      | 'anthropic'
                      | 'openai'
                      | 'azure'
                      | 'google'
                      | 'groq'
                      | 'xai'
                      | 'mistral'
                      | 'deepseek'
                      | 'together'
                      | 'fireworks'
                      | 'cerebras'
                      | 'openrouter'
                      | 'cohere'
                      | 'perplexity'
                      | 'ollama'
                      | 'demo'
                    )
                  | string;
                contextWindow: number | null;
                maxOutput: number | null;
                supportsVision: boolean | null;
                supportsTools: boolean | null;
                supportsReasoning: boolean | null;

                /** USD */
                costPer1MInput: number | null;

                /** USD */
                costPer1MOutput: number | null;
                description?: string | undefined;
              }[];
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/providers/{type}/configure': {
    /** Change a provider’s settings; what is not given stays, null clears */
    post: {
      parameters: { path: { type: string }; query?: { verify?: 'true' | 'false' | undefined }; header?: never };
      requestBody: {
        content: {
          'application/json': {
            apiKey?: string | null | undefined;
            baseUrl?: string | null | undefined;
            defaultModel?: string | null | undefined;
            enabled?: boolean | null | undefined;
            headers?: Record<string, string> | null | undefined;
            resourceName?: string | null | undefined;
            deploymentName?: string | null | undefined;
            apiVersion?: string | null | undefined;
            organization?: string | null | undefined;
            project?: string | null | undefined;
            name?: string | null | undefined;
            wire?:
              | ('anthropic-messages' | 'openai-chat' | 'openai-responses' | 'gemini' | 'cohere-chat' | 'ollama-chat')
              | null
              | undefined;
            quirks?:
              | {
                  reasoningModels?: string[] | undefined;
                  usageUnasked?: boolean | undefined;
                  toolCallIds?: { length: number } | undefined;
                  reasoningBack?:
                    | {
                        models?: string[] | undefined;
                        as: 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'content-parts';
                        required?: boolean | undefined;
                        openTurnOnly?: boolean | undefined;
                      }[]
                    | undefined;
                  effort?:
                    | {
                        models?: string[] | undefined;
                        words: Record<string, string>;
                        as?: 'reasoning_effort' | 'reasoning' | undefined;
                        notWithTools?: boolean | undefined;
                      }[]
                    | undefined;
                  files?: 'file' | 'file-or-link' | 'document_url' | 'file_url' | undefined;
                  noTools?: boolean | undefined;
                  strictAlternation?: boolean | undefined;
                  thinkTags?: boolean | undefined;
                  refusedSchemaKeywords?: string[] | undefined;
                  parameterNames?:
                    | {
                        topP?: string | undefined;
                        topK?: string | undefined;
                        stop?: string | undefined;
                        seed?: string | undefined;
                        frequencyPenalty?: string | undefined;
                        presencePenalty?: string | undefined;
                        logitBias?: string | undefined;
                        logprobs?: string | undefined;
                      }
                    | undefined;
                  refusedParameters?:
                    | {
                        models?: string[] | undefined;
                        parameters: (
                          | 'temperature'
                          | 'topP'
                          | 'topK'
                          | 'stop'
                          | 'seed'
                          | 'frequencyPenalty'
                          | 'presencePenalty'
                          | 'logitBias'
                          | 'logprobs'
                          | 'parallelToolCalls'
                        )[];
                      }[]
                    | undefined;
                  responseFormats?:
                    | { models?: string[] | undefined; formats: ('json' | 'json-schema')[] }[]
                    | undefined;
                  formatOrTools?: boolean | undefined;
                  strictTools?: boolean | undefined;
                  resultMedia?: boolean | undefined;
                }
              | null
              | undefined;
            modelsPath?: (false | string) | null | undefined;
            package?: string | null | undefined;
            factory?: string | null | undefined;
            options?: Record<string, unknown> | null | undefined;
          };
        };
      };
      responses: {
        200: {
          content: {
            'application/json': { success: true; message: string; provider: components['schemas']['Provider'] };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/providers/{type}/health': {
    /** Ask the provider now, with a call that costs nothing */
    post: {
      parameters: { path: { type: string }; query?: never; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              provider:
                | (
                    | 'anthropic'
                    | 'openai'
                    | 'azure'
                    | 'google'
                    | 'groq'
                    | 'xai'
                    | 'mistral'
                    | 'deepseek'
                    | 'together'
                    | 'fireworks'
                    | 'cerebras'
                    | 'openrouter'
                    | 'cohere'
                    | 'perplexity'
                    | 'ollama'
                    | 'demo'
                  )
                | string;
              healthy: boolean;
              message: string;
              latencyMs: number | null;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/chat/providers/{type}': {
    /** Forget the stored settings of a provider; the environment’s stay */
    delete: {
      parameters: { path: { type: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/tasks': {
    /** Tasks, newest first */
    get: {
      parameters: {
        path?: never;
        query?: {
          limit?: number | undefined;
          offset?: number | undefined;
          status?: 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | undefined;
        };
        header?: never;
      };

      responses: {
        200: { content: { 'application/json': { tasks: components['schemas']['Task'][]; total: number } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Create a task */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            title: string;
            prompt: string;
            description?: string | null | undefined;
            status?: 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | undefined;
            priority?: number | undefined;
            labels?: string[] | undefined;
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { task: components['schemas']['Task'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/tasks/{id}': {
    /** Read a task */
    get: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { task: components['schemas']['Task'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Change a task; what is not given stays */
    patch: {
      parameters: { path: { id: string }; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            title?: string | undefined;
            prompt?: string | undefined;
            description?: string | null | undefined;
            status?: 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | undefined;
            priority?: number | undefined;
            labels?: string[] | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { task: components['schemas']['Task'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Delete a task */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/tickets': {
    /** Tickets, newest first */
    get: {
      parameters: {
        path?: never;
        query?: {
          limit?: number | undefined;
          offset?: number | undefined;
          status?: 'open' | 'in_progress' | 'done' | 'closed' | undefined;
        };
        header?: never;
      };

      responses: {
        200: { content: { 'application/json': { tickets: components['schemas']['Ticket'][]; total: number } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Create a ticket */
    post: {
      parameters: { path?: never; query?: never; header?: { 'Idempotency-Key'?: string | undefined } };
      requestBody: {
        content: {
          'application/json': {
            title: string;
            description?: string | null | undefined;
            type?: 'bug' | 'feature' | 'task' | 'question' | undefined;
            priority?: number | undefined;
            status?: 'open' | 'in_progress' | 'done' | 'closed' | undefined;
            labels?: string[] | undefined;
          };
        };
      };
      responses: {
        201: { content: { 'application/json': { ticket: components['schemas']['Ticket'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/tickets/{id}': {
    /** Read a ticket, by id or key */
    get: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { ticket: components['schemas']['Ticket'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Change a ticket; what is not given stays */
    patch: {
      parameters: { path: { id: string }; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            title?: string | undefined;
            description?: string | null | undefined;
            type?: 'bug' | 'feature' | 'task' | 'question' | undefined;
            priority?: number | undefined;
            status?: 'open' | 'in_progress' | 'done' | 'closed' | undefined;
            labels?: string[] | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { ticket: components['schemas']['Ticket'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Delete a ticket */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/signup': {
    /** Make an account and log in */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': { email: string; password: string; name: string; inviteCode?: string | undefined };
        };
      };
      responses: {
        201: { content: { 'application/json': { user: components['schemas']['User'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/login': {
    /** Log in; the answer sets the cookie profclaw_session */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: { content: { 'application/json': { email: string; password: string } } };
      responses: {
        200: { content: { 'application/json': { user: components['schemas']['User'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/logout': {
    /** End the session of the cookie */
    post: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/status': {
    /** How one can come in; for a page that must ask */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              /** local: programs of this machine need no credential. */
              mode: 'local' | 'locked';

              /** Somebody has signed up, so that one can log in. */
              accounts: boolean;
              accessKey: boolean;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/me': {
    /** Who the caller is, and what the caller may do */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: {
          content: {
            'application/json': {
              /** Null: a caller without an account. */
              user: components['schemas']['User'] | null;

              /** Of the account. */
              budget: components['schemas']['Budget'] | null;
              via: 'local' | 'session' | 'key';
              role: 'owner' | 'admin' | 'member';
              scopes: ('chat' | 'tools' | 'conversations:read' | 'providers:write' | 'admin')[];
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Change one’s own account */
    patch: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            name?: string | undefined;
            email?: string | undefined;
            password?: string | undefined;
            currentPassword?: string | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { user: components['schemas']['User'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/verify-access-key': {
    /** Come in with the access key; the answer sets the cookie profclaw_session */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: { content: { 'application/json': { key: string } } };
      responses: {
        200: { content: { 'application/json': { success: true; message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/access-key': {
    /** Set the access key, or take it away (null); the owner’s */
    put: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: { content: { 'application/json': { key: string | null } } };
      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/sessions': {
    /** One’s own sessions, newest first */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { sessions: components['schemas']['Session'][] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** End all of one’s own sessions but the one that asks */
    delete: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string; ended: number } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/auth/sessions/{id}': {
    /** End one of one’s own sessions */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/keys': {
    /** Make an API key; its secret is shown this once */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            name: string;
            scopes: ('chat' | 'tools' | 'conversations:read' | 'providers:write' | 'admin')[];

            /** Absent: never. */
            expiresInDays?: number | undefined;

            /** Requests a minute. */
            rateLimit?: number | undefined;
            budget?:
              | {
                  usd?: number | undefined;
                  tokens?: number | undefined;

                  /** By the calendar, in UTC. */
                  period?: 'day' | 'week' | 'month' | 'total' | undefined;
                }
              | undefined;
          };
        };
      };
      responses: {
        201: {
          content: {
            'application/json': {
              key: components['schemas']['ApiKey'];

              /** For Authorization: Bearer. It is not kept. */
              secret: string;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** One’s own API keys, newest first */
    get: {
      parameters: { path?: never; query?: { limit?: number | undefined; offset?: number | undefined }; header?: never };

      responses: {
        200: { content: { 'application/json': { keys: components['schemas']['ApiKey'][]; total: number } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/keys/{id}': {
    /** Revoke an API key, from now on */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/users': {
    /** All accounts, oldest first */
    get: {
      parameters: { path?: never; query?: { limit?: number | undefined; offset?: number | undefined }; header?: never };

      responses: {
        200: { content: { 'application/json': { users: components['schemas']['User'][]; total: number } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/users/{id}': {
    /** One account with its budget */
    get: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { user: components['schemas']['UserWithBudget'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Change an account: its role, its limits, whether it may come in */
    patch: {
      parameters: { path: { id: string }; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            role?: 'admin' | 'member' | undefined;
            disabled?: boolean | undefined;

            /** Requests a minute. */
            rateLimit?: number | null | undefined;
            budget?:
              | {
                  usd?: number | undefined;
                  tokens?: number | undefined;

                  /** By the calendar, in UTC. */
                  period?: 'day' | 'week' | 'month' | 'total' | undefined;
                }
              | null
              | undefined;
          };
        };
      };
      responses: {
        200: { content: { 'application/json': { user: components['schemas']['UserWithBudget'] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Delete an account with everything that it owns */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/invites': {
    /** Make an invite; its code is shown this once */
    post: {
      parameters: { path?: never; query?: never; header?: never };
      requestBody: {
        content: {
          'application/json': {
            role?: 'admin' | 'member' | undefined;

            /** Only this one may use it. */
            email?: string | undefined;
            expiresInDays?: number | undefined;
          };
        };
      };
      responses: {
        201: {
          content: {
            'application/json': {
              invite: components['schemas']['Invite'];

              /** The inviteCode of POST /api/auth/signup. */
              code: string;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };

    /** Invites that nobody has used, newest first */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { invites: components['schemas']['Invite'][] } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/invites/{id}': {
    /** Withdraw an invite */
    delete: {
      parameters: { path: { id: string }; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { message: string } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/audit': {
    /** Who did what, newest first */
    get: {
      parameters: {
        path?: never;
        query?: {
          limit?: number | undefined;

          /** Entries with a smaller `seq` only. */
          before?: number | undefined;
          owner?: string | undefined;
          actor?: string | undefined;
          action?:
            | 'account.signup'
            | 'account.login'
            | 'account.logout'
            | 'account.change'
            | 'account.password'
            | 'session.revoke'
            | 'access_key.verify'
            | 'access_key.set'
            | 'access_key.remove'
            | 'key.create'
            | 'key.revoke'
            | 'invite.create'
            | 'invite.revoke'
            | 'user.change'
            | 'user.delete'
            | 'provider.configure'
            | 'provider.remove'
            | 'provider.default'
            | 'mcp.create'
            | 'mcp.change'
            | 'mcp.remove'
            | 'conversation.delete'
            | 'message.delete'
            | 'response.delete'
            | 'preset.delete'
            | 'task.delete'
            | 'ticket.delete'
            | 'run.cancel'
            | 'approval.decide'
            | 'rule.create'
            | 'rule.delete'
            | 'secret.rotate'
            | undefined;
          target?: string | undefined;
        };
        header?: never;
      };

      responses: {
        200: {
          content: {
            'application/json': {
              entries: components['schemas']['AuditEntry'][];

              /** `before` of the next page; null: this is the last. */
              nextBefore: number | null;
            };
          };
        };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/health': {
    /** Is the process alive */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { status: 'ok' } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/ready': {
    /** Can it work: storage reachable, migrations done */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': { status: 'ready' } } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
  '/api/openapi.json': {
    /** This interface as OpenAPI 3.1 */
    get: {
      parameters: { path?: never; query?: never; header?: never };

      responses: {
        200: { content: { 'application/json': Record<string, unknown> } };
        default: { content: { 'application/json': components['schemas']['Error'] } };
      };
    };
  };
}

/** The parts of it that have names. */
export interface components {
  schemas: {
    Error: {
      /** What is wrong and what to do, for a person. */
      error: string;
      code:
        | 'invalid_request'
        | 'invalid_json'
        | 'provider_rejected'
        | 'context_length_exceeded'
        | 'content_filtered'
        | 'unauthenticated'
        | 'forbidden'
        | 'not_found'
        | 'model_not_found'
        | 'approval_not_found'
        | 'request_timeout'
        | 'conflict'
        | 'too_large'
        | 'unsupported_media_type'
        | 'idempotency_mismatch'
        | 'rate_limited'
        | 'provider_rate_limited'
        | 'budget_exceeded'
        | 'headers_too_large'
        | 'cancelled'
        | 'internal'
        | 'provider_auth'
        | 'provider_unavailable'
        | 'provider_protocol'
        | 'no_provider'
        | 'provider_not_configured'
        | 'overloaded'
        | 'shutting_down'
        | 'provider_timeout';
      requestId: string;
      details?: Record<string, unknown> | undefined;
    };
    Completion: {
      id: string;
      provider: string;
      model: string;
      finishReason: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'approval-required' | 'error' | 'cancelled';
      usage: components['schemas']['Usage'];

      /** Milliseconds. */
      duration: number;

      /** The pages that the answer rests on, if the provider names them. */
      sources?: { url: string; title?: string | undefined }[] | undefined;

      /** One sentence for each parameter that the model does not take. */
      warnings?: string[] | undefined;

      /** What became of each model, in order, if more than one was tried or skipped. */
      attempts?: components['schemas']['Attempt'][] | undefined;
      conversationId?: string | undefined;

      /** Of the answer, in its conversation. */
      messageId?: string | undefined;

      /** What had to be done to make the conversation fit its model. */
      compaction?: components['schemas']['Compaction'] | null | undefined;
      message: {
        role: 'assistant';
        content: string;
        toolCalls?: components['schemas']['ToolCall'][] | undefined;
        parts?: components['schemas']['Parts'] | undefined;
      };
      reasoning?: string | undefined;

      /** `{token, logprob, bytes, top_logprobs}` of each token, as OpenAI has them. */
      logprobs?: ({ token: string; logprob: number } & Record<string, unknown>)[] | undefined;
    };
    Usage: {
      promptTokens: number;
      completionTokens: number;
      totalTokens: number;
      cachedTokens?: number | undefined;
      cacheWriteTokens?: number | undefined;
      reasoningTokens?: number | undefined;

      /** USD; null if the price is not known. */
      cost: number | null;
    };
    Attempt: {
      provider: string;
      model: string;
      status: 'answered' | 'failed' | 'skipped';

      /** Why it failed, or last failed before it was skipped. */
      code?: string | undefined;
      error?: string | undefined;

      /** Milliseconds. */
      duration: number;
    };
    Compaction: {
      /** Messages that the model would have seen, a summary being one. */
      originalCount: number;

      /** Messages that it sees now. */
      compactedCount: number;

      /** Estimated. */
      tokensReduced: number;

      /** Null: there was none to be had; the oldest messages are left out. */
      summary: string | null;
    };
    ToolCall: {
      id: string;
      name: string;
      arguments: Record<string, unknown>;

      /** What the model wrote, if it was not a JSON object. */
      invalidArguments?: string | undefined;

      /** Where it came from. */
      origin?: { provider: string; model: string } | undefined;

      /** What the provider wants back with this; opaque, to be sent back as it came. */
      data?: Record<string, unknown> | undefined;
    };
    Parts: (
      | {
          type: 'text';
          text: string;

          /** Where it came from. */
          origin?: { provider: string; model: string } | undefined;

          /** What the provider wants back with this; opaque, to be sent back as it came. */
          data?: Record<string, unknown> | undefined;
        }
      | {
          type: 'reasoning';
          text: string;

          /** Where it came from. */
          origin?: { provider: string; model: string } | undefined;

          /** What the provider wants back with this; opaque, to be sent back as it came. */
          data?: Record<string, unknown> | undefined;
        }
      | {
          type: 'tool-call';

          /** Of a call in `toolCalls`. */
          id: string;
        }
    )[];
    CompletionEvent:
      | { content: string }
      | { reasoning: string }
      | { toolCall: components['schemas']['ToolCall'] }
      | {
          /** `{token, logprob, bytes, top_logprobs}` of each token, as OpenAI has them. */
          logprobs: ({ token: string; logprob: number } & Record<string, unknown>)[];
        }
      | {
          done: true;
          id: string;
          provider: string;
          model: string;
          finishReason:
            | 'stop'
            | 'length'
            | 'content-filter'
            | 'tool-calls'
            | 'approval-required'
            | 'error'
            | 'cancelled';
          usage: components['schemas']['Usage'];

          /** Milliseconds. */
          duration: number;

          /** The pages that the answer rests on, if the provider names them. */
          sources?: { url: string; title?: string | undefined }[] | undefined;

          /** One sentence for each parameter that the model does not take. */
          warnings?: string[] | undefined;

          /** What became of each model, in order, if more than one was tried or skipped. */
          attempts?: components['schemas']['Attempt'][] | undefined;
          conversationId?: string | undefined;

          /** Of the answer, in its conversation. */
          messageId?: string | undefined;

          /** What had to be done to make the conversation fit its model. */
          compaction?: components['schemas']['Compaction'] | null | undefined;
          parts?: components['schemas']['Parts'] | undefined;
        }
      | {
          done: true;
          partial: true;
          error: string;
          code: string;
          requestId: string;

          /** `attempts`, if there were several. */
          details?: Record<string, unknown> | undefined;
        };
    Message:
      | { role: 'system'; content: string | { type: 'text'; text: string }[] }
      | {
          role: 'user';
          content:
            | string
            | (
                | { type: 'text'; text: string }
                | {
                    type: 'image';

                    /** A data URL with base64, or an https URL. */
                    image: string;
                  }
                | {
                    type: 'file';

                    /** A data URL with base64, or an https URL. */
                    file: string;
                    filename?: string | undefined;
                  }
              )[];
        }
      | {
          role: 'assistant';
          content?: string | { type: 'text'; text: string }[] | null | undefined;
          toolCalls?: components['schemas']['ToolCall'][] | undefined;

          /** As they came; they must fit content and toolCalls. */
          parts?: components['schemas']['Parts'] | undefined;
        }
      | { role: 'tool'; toolCallId: string; content: string | { type: 'text'; text: string }[] };
    SmartCompletion: {
      id: string;
      provider: string;
      model: string;
      finishReason: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'approval-required' | 'error' | 'cancelled';
      usage: components['schemas']['Usage'];

      /** Milliseconds. */
      duration: number;

      /** The pages that the answer rests on, if the provider names them. */
      sources?: { url: string; title?: string | undefined }[] | undefined;

      /** One sentence for each parameter that the model does not take. */
      warnings?: string[] | undefined;

      /** What became of each model, in order, if more than one was tried or skipped. */
      attempts?: components['schemas']['Attempt'][] | undefined;
      conversationId?: string | undefined;

      /** Of the answer, in its conversation. */
      messageId?: string | undefined;

      /** What had to be done to make the conversation fit its model. */
      compaction?: components['schemas']['Compaction'] | null | undefined;
      message: {
        role: 'assistant';
        content: string;
        toolCalls?: components['schemas']['ToolCall'][] | undefined;
        parts?: components['schemas']['Parts'] | undefined;
      };
      reasoning?: string | undefined;
      context: { presetId: string; taskId?: string | undefined; ticketId?: string | undefined };
    };
    Conversation: {
      id: string;

      /** Empty until the first message with text. */
      title: string;
      presetId: string;
      taskId: string | null;
      ticketId: string | null;

      /** Null: the default of the moment. */
      model: string | null;
      systemPrompt: string | null;

      /** Of the preset that was applied; null: the model’s own. */
      temperature: number | null;
      maxTokens: number | null;

      /** Your own. */
      metadata: Record<string, unknown>;
      createdAt: string;
      updatedAt: string;
      messageCount: number;

      /** What was spent in it, summaries and titles included; deleted messages stay counted. */
      usage: {
        promptTokens: number;
        completionTokens: number;
        totalTokens: number;

        /** USD; null if no answer had a known price. */
        cost: number | null;

        /** Answers that are not in the cost. */
        unpricedAnswers: number;
      };
    };
    ConversationMessage: {
      id: string;
      conversationId: string;

      /** Rises within the conversation, with gaps where messages were deleted. */
      seq: number;
      role: 'user' | 'assistant';

      /** As it was sent. */
      content:
        | string
        | (
            | { type: 'text'; text: string }
            | {
                type: 'image';

                /** A data URL with base64, or an https URL. */
                image: string;
              }
            | {
                type: 'file';

                /** A data URL with base64, or an https URL. */
                file: string;
                filename?: string | undefined;
              }
          )[];
      reasoning: string | null;
      parts?: components['schemas']['Parts'] | undefined;
      sources?: { url: string; title?: string | undefined }[] | undefined;
      model: string | null;
      provider: string | null;
      tokenUsage: { prompt: number; completion: number; total: number } | null;

      /** USD; null if the price is not known. */
      cost: number | null;
      toolCalls: components['schemas']['ToolCallRecord'][];
      finishReason: string | null;

      /** Milliseconds. */
      duration: number | null;

      /** Of its turn. What is failed is not sent to the model, and can be tried again. */
      status: 'running' | 'complete' | 'failed';

      /** Why the turn failed. */
      error: { code: string; message: string } | null;
      createdAt: string;
    };
    ToolCallRecord: {
      id: string;
      name: string;
      arguments: Record<string, unknown>;

      /** What the model wrote, if it was not a JSON object. */
      invalidArguments?: string | undefined;
      result: string | null;
      status: 'pending' | 'running' | 'success' | 'error' | 'denied' | 'cancelled';

      /** Milliseconds. */
      duration: number | null;

      /** There if `result` is only the beginning and end; GET /api/chat/tools/results/{id} has all of it. */
      resultId?: string | undefined;
    };
    TurnAnswer: {
      /** Null after a retry of a turn that only brought results of tools. */
      userMessage: components['schemas']['ConversationMessage'] | null;
      assistantMessage: components['schemas']['ConversationMessage'];
      usage: components['schemas']['Usage'];

      /** What had to be done to make the conversation fit its model. */
      compaction: components['schemas']['Compaction'] | null;
      warnings?: string[] | undefined;
      attempts?: components['schemas']['Attempt'][] | undefined;
    };
    TurnEvent:
      | { content: string }
      | { reasoning: string }
      | { toolCall: components['schemas']['ToolCall'] }
      | {
          done: true;

          /** Null after a retry of a turn that only brought results of tools. */
          userMessage: components['schemas']['ConversationMessage'] | null;
          assistantMessage: components['schemas']['ConversationMessage'];
          usage: components['schemas']['Usage'];

          /** What had to be done to make the conversation fit its model. */
          compaction: components['schemas']['Compaction'] | null;
          warnings?: string[] | undefined;
          attempts?: components['schemas']['Attempt'][] | undefined;
        }
      | {
          done: true;
          partial: true;
          error: string;
          code: string;
          requestId: string;

          /** `attempts`, if there were several. */
          details?: Record<string, unknown> | undefined;
        };
    ToolTurn: {
      userMessage: components['schemas']['ConversationMessage'] | null;

      /** The last one so far. */
      assistantMessage: components['schemas']['ConversationMessage'] | null;
      usage: {
        promptTokens: number;
        completionTokens: number;
        totalTokens: number;

        /** USD; null if no answer had a known price. */
        cost: number | null;
      };
      compaction: components['schemas']['Compaction'] | null;

      /** All of the turn. */
      toolCalls: components['schemas']['RunCall'][];
      pendingApprovals: components['schemas']['Approval'][];

      /** `approval-required`: answer `pendingApprovals`, and the turn goes on by itself. */
      finishReason: string;
      runId: string;
    };
    RunCall: {
      id: string;
      name: string;
      arguments: Record<string, unknown>;
      invalidArguments?: string | undefined;
      result: string | null;
      status: 'pending' | 'running' | 'success' | 'error' | 'denied' | 'cancelled';

      /** Milliseconds. */
      duration: number | null;

      /** There if `result` is only the beginning and end; GET /api/chat/tools/results/{id} has all of it. */
      resultId?: string | undefined;
    };
    Approval: {
      id: string;
      runId: string;
      conversationId: string;
      toolCallId: string;
      toolName: string;
      params: Record<string, unknown>;

      /** Tool and arguments as a person can read them: nothing in it is invisible, and if it is cut it says so. */
      display: string;

      /** SHA-256 of the arguments as JSON with sorted fields, in hex. */
      argumentsHash: string;
      securityLevel: string;
      reason: string;
      status: 'pending' | 'allowed' | 'denied' | 'expired' | 'cancelled';
      createdAt: string;
      expiresAt: string;
      decidedAt: string | null;
      decidedBy: string | null;
      editedArguments: Record<string, unknown> | null;
    };
    ToolTurnEvent:
      | { content: string }
      | { reasoning: string }
      | { toolCall: components['schemas']['ToolCall'] }
      | {
          toolResult: {
            id: string;
            name: string;
            result: string | null;
            status: 'pending' | 'running' | 'success' | 'error' | 'denied' | 'cancelled';

            /** Milliseconds. */
            duration: number | null;

            /** There if `result` is only the beginning and end; GET /api/chat/tools/results/{id} has all of it. */
            resultId?: string | undefined;
          };
        }
      | { approval: components['schemas']['Approval'] }
      | { reset: Record<string, unknown> }
      | {
          done: true;
          userMessage: components['schemas']['ConversationMessage'] | null;

          /** The last one so far. */
          assistantMessage: components['schemas']['ConversationMessage'] | null;
          usage: {
            promptTokens: number;
            completionTokens: number;
            totalTokens: number;

            /** USD; null if no answer had a known price. */
            cost: number | null;
          };
          compaction: components['schemas']['Compaction'] | null;

          /** All of the turn. */
          toolCalls: components['schemas']['RunCall'][];
          pendingApprovals: components['schemas']['Approval'][];

          /** `approval-required`: answer `pendingApprovals`, and the turn goes on by itself. */
          finishReason: string;
          runId: string;
        }
      | {
          done: true;
          partial: true;
          error: string;
          code: string;
          requestId: string;

          /** `attempts`, if there were several. */
          details?: Record<string, unknown> | undefined;
        };
    RunEvent: {
      type:
        | 'user_message'
        | 'session:start'
        | 'step:start'
        | 'step:complete'
        | 'compaction'
        | 'thinking:start'
        | 'thinking:update'
        | 'thinking:end'
        | 'content'
        | 'tool:call'
        | 'approval:required'
        | 'approval:resolved'
        | 'waiting'
        | 'tool:progress'
        | 'tool:result'
        | 'attempt:reset'
        | 'summary'
        | 'message_saved'
        | 'complete'
        | 'error'
        | 'reset';
      data: Record<string, unknown>;

      /** Milliseconds. */
      timestamp: number;
    };
    Run: {
      id: string;
      conversationId: string;
      kind: 'tools' | 'agent';
      status: 'queued' | 'running' | 'waiting_approval' | 'completed' | 'failed' | 'cancelled';
      stopReason: ('completed' | 'max_steps' | 'budget' | 'no_progress') | null;
      error: { code: string; message: string } | null;
      model: string | null;
      provider: string | null;

      /** `deny`: no tools; `sandbox`: isolated, read-only; `allowlist`: what a rule allows; `ask`; `full`. */
      securityMode: 'deny' | 'sandbox' | 'allowlist' | 'ask' | 'full';
      steps: number;
      maxSteps: number;
      maxBudget: number | null;

      /** How often it was taken up: once, and after each approval and crash. */
      attempts: number;
      usage: {
        promptTokens: number;
        completionTokens: number;
        totalTokens: number;

        /** USD; null if no answer had a known price. */
        cost: number | null;
      };
      lastEventId: number;

      /** Of the message that it ended with. */
      messageId: string | null;
      createdAt: string;
      updatedAt: string;
      finishedAt: string | null;
    };
    RunWithCalls: {
      id: string;
      conversationId: string;
      kind: 'tools' | 'agent';
      status: 'queued' | 'running' | 'waiting_approval' | 'completed' | 'failed' | 'cancelled';
      stopReason: ('completed' | 'max_steps' | 'budget' | 'no_progress') | null;
      error: { code: string; message: string } | null;
      model: string | null;
      provider: string | null;

      /** `deny`: no tools; `sandbox`: isolated, read-only; `allowlist`: what a rule allows; `ask`; `full`. */
      securityMode: 'deny' | 'sandbox' | 'allowlist' | 'ask' | 'full';
      steps: number;
      maxSteps: number;
      maxBudget: number | null;

      /** How often it was taken up: once, and after each approval and crash. */
      attempts: number;
      usage: {
        promptTokens: number;
        completionTokens: number;
        totalTokens: number;

        /** USD; null if no answer had a known price. */
        cost: number | null;
      };
      lastEventId: number;

      /** Of the message that it ended with. */
      messageId: string | null;
      createdAt: string;
      updatedAt: string;
      finishedAt: string | null;
      toolCalls: components['schemas']['RunCall'][];
      approvals: components['schemas']['Approval'][];
    };
    Tool: {
      name: string;
      description: string;

      /** A JSON Schema. */
      inputSchema: Record<string, unknown>;
      level: 'safe' | 'moderate' | 'dangerous';
      effect: 'read' | 'idempotent' | 'unsafe';

      /** May it be called in the mode `sandbox`? */
      sandbox: boolean;
    };
    McpServer: {
      name: string;
      source: 'configuration' | 'api';
      type: 'stdio' | 'http';
      command?: string | undefined;

      /** How many; their texts are not shown. */
      args?: number | undefined;
      cwd?: string | undefined;

      /** Names. */
      env?: string[] | undefined;

      /** Without its query. */
      url?: string | undefined;

      /** Names. */
      headers?: string[] | undefined;
      enabled: boolean;

      /** Seconds; null: the default. */
      timeout: number | null;
      levels: Record<string, string>;
      status: {
        state: 'connecting' | 'connected' | 'failed' | 'stopped' | 'disabled' | 'refused';
        message: string;
        checkedAt: string | null;

        /** Of the last ping; null: there was none yet. */
        latencyMs: number | null;

        /** What it says it is. */
        server: { name: string; version: string; protocol: string } | null;
      };

      /** Names by which models call them. */
      tools: string[];

      /** Tools that are not offered. */
      skipped: { tool: string; reason: string }[];
    };
    ToolResult: {
      id: string;
      conversationId: string;

      /** The characters from `offset` on. */
      text: string;
      offset: number;

      /** Characters of the whole, in UTF-16 units as all numbers here. */
      total: number;

      /** Null: it has no more. */
      nextOffset: number | null;
    };
    ToolRule: {
      id: string;
      tool: string;

      /** All that is given has to fit; empty: every call of the tool. */
      match: {
        /** Words of a command, `git status *`; held against every simple command of the line. */
        command?: string | undefined;

        /** A glob of paths in the workspace, `src/**`; links are resolved first. */
        path?: string | undefined;

        /** `example.com`, or `*.example.com` for all below it; either with a port. */
        host?: string | undefined;

        /** Exactly these. */
        arguments?: Record<string, unknown> | undefined;
      };
      action: 'allow' | 'deny';
      scope: 'user' | 'conversation';
      conversationId: string | null;
      createdAt: string;
      expiresAt: string | null;

      /** How many calls it has allowed or denied. */
      usedCount: number;
    };
    ToolDecision: {
      decision: 'allow' | 'ask' | 'refuse';

      /** The id of the rule that decides; null: none does. */
      rule: string | null;

      /** For a person. */
      reason: string;
    };
    Memory: {
      /** Stands in for the messages that are covered. */
      summary: string | null;

      /** Messages up to this `seq` are not sent; 0: all are. */
      coveredSeq: number;

      /** Messages that are sent. */
      liveMessages: number;

      /** Estimated, and corrected by the provider’s counts. */
      tokens: number;
      contextWindow: number;

      /** All in force, oldest first; each covers what those before it did. */
      compactions: {
        coveredSeq: number;
        originalCount: number;
        compactedCount: number;
        tokensBefore: number;
        tokensAfter: number;
        summary: string | null;

        /** Null: there was no summary to be had. */
        madeBy: { provider: string; model: string; usage: components['schemas']['Usage'] } | null;
        createdAt: string;
      }[];
    };
    Preset: {
      id: string;
      name: string;
      description: string;
      systemPrompt: string;
      model: string | null;
      temperature: number | null;
      maxTokens: number | null;
      createdAt: string;
      updatedAt: string;
    };
    Model: {
      id: string;
      name: string;
      provider:
        | (
            | 'anthropic'
            | 'openai'
            | 'azure'
            | 'google'
            | 'groq'
            | 'xai'
            | 'mistral'
            | 'deepseek'
            | 'together'
            | 'fireworks'
            | 'cerebras'
            | 'openrouter'
            | 'cohere'
            | 'perplexity'
            | 'ollama'
            | 'demo'
          )
        | string;
      contextWindow: number | null;
      maxOutput: number | null;
      supportsVision: boolean | null;
      supportsTools: boolean | null;
      supportsReasoning: boolean | null;

      /** USD */
      costPer1MInput: number | null;

      /** USD */
      costPer1MOutput: number | null;
    };
    Provider: {
      type:
        | (
            | 'anthropic'
            | 'openai'
            | 'azure'
            | 'google'
            | 'groq'
            | 'xai'
            | 'mistral'
            | 'deepseek'
            | 'together'
            | 'fireworks'
            | 'cerebras'
            | 'openrouter'
            | 'cohere'
            | 'perplexity'
            | 'ollama'
            | 'demo'
          )
        | string;
      name: string;
      configured: boolean;
      enabled: boolean;

      /** null: not checked yet */
      healthy: boolean | null;
      message: string;
      latencyMs: number | null;
      checkedAt: string | null;
      defaultModel: string | null;
      baseUrl: string | null;

      /** null: it has no key */
      keyFrom: ('environment' | 'stored') | null;

      /** There are settings that DELETE would forget. */
      stored: boolean;

      /** What else is in force, without what may be secret. */
      settings: {
        organization?: string | undefined;
        project?: string | undefined;
        resourceName?: string | undefined;
        deploymentName?: string | undefined;
        apiVersion?: string | undefined;
        name?: string | undefined;
        wire?: string | undefined;
        modelsPath?: string | false | undefined;
        package?: string | undefined;
        factory?: string | undefined;
        headerNames?: string[] | undefined;
      };
    };
    Task: {
      id: string;
      title: string;
      prompt: string;
      description: string | null;
      status: 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
      priority: number;
      labels: string[];
      createdAt: string;
      updatedAt: string;
    };
    Ticket: {
      id: string;

      /** Like `PC-12`; a ticket is found by it too. */
      key: string;
      title: string;
      description: string | null;
      type: 'bug' | 'feature' | 'task' | 'question';
      priority: number;
      status: 'open' | 'in_progress' | 'done' | 'closed';
      labels: string[];
      createdAt: string;
      updatedAt: string;
    };
    User: {
      id: string;
      email: string;
      name: string;
      role: 'owner' | 'admin' | 'member';
      status: 'active' | 'disabled';

      /** Requests a minute; null: the server’s PROFCLAW_USER_LIMIT. */
      rateLimit: number | null;
      createdAt: string;
      lastLoginAt: string | null;
    };
    Budget: {
      usd: number | null;
      tokens: number | null;
      period: 'day' | 'week' | 'month' | 'total';
      usedUsd: number;
      usedTokens: number;

      /** Null: never. */
      resetsAt: string | null;
    };
    Session: {
      id: string;

      /** The one that asks. */
      current: boolean;
      address: string;
      userAgent: string;
      createdAt: string;

      /** To the minute. */
      lastSeenAt: string;

      /** 30 days after it was last used. */
      expiresAt: string;
    };
    ApiKey: {
      id: string;
      name: string;

      /** How the secret begins. */
      hint: string;
      scopes: ('chat' | 'tools' | 'conversations:read' | 'providers:write' | 'admin')[];

      /** Requests a minute. */
      rateLimit: number | null;
      budget: components['schemas']['Budget'] | null;
      createdAt: string;
      expiresAt: string | null;

      /** To the minute. */
      lastUsedAt: string | null;
    };
    UserWithBudget: {
      id: string;
      email: string;
      name: string;
      role: 'owner' | 'admin' | 'member';
      status: 'active' | 'disabled';

      /** Requests a minute; null: the server’s PROFCLAW_USER_LIMIT. */
      rateLimit: number | null;
      createdAt: string;
      lastLoginAt: string | null;
      budget: components['schemas']['Budget'] | null;
    };
    Invite: {
      id: string;
      role: 'owner' | 'admin' | 'member';

      /** Null: whoever has the code. */
      email: string | null;
      createdAt: string;
      expiresAt: string;
    };
    AuditEntry: {
      /** 1, 2, 3 … without gaps. */
      seq: number;
      at: string;

      /** Whose things it was about. */
      owner: string;

      /** An account’s id, `local`, `access-key`, or empty: a stranger. */
      actor: string;

      /** The id of the key or session; empty: none. */
      credential: string;
      action:
        | 'account.signup'
        | 'account.login'
        | 'account.logout'
        | 'account.change'
        | 'account.password'
        | 'session.revoke'
        | 'access_key.verify'
        | 'access_key.set'
        | 'access_key.remove'
        | 'key.create'
        | 'key.revoke'
        | 'invite.create'
        | 'invite.revoke'
        | 'user.change'
        | 'user.delete'
        | 'provider.configure'
        | 'provider.remove'
        | 'provider.default'
        | 'mcp.create'
        | 'mcp.change'
        | 'mcp.remove'
        | 'conversation.delete'
        | 'message.delete'
        | 'response.delete'
        | 'preset.delete'
        | 'task.delete'
        | 'ticket.delete'
        | 'run.cancel'
        | 'approval.decide'
        | 'rule.create'
        | 'rule.delete'
        | 'secret.rotate';

      /** The id of what it was done to; empty: none. */
      target: string;
      outcome: 'begun' | 'done' | 'refused' | 'failed';
      address: string;
      requestId: string;
      details: Record<string, unknown>;

      /** SHA-256 of the entry and the hash of the one before it. */
      hash: string;
    };
  };
}
