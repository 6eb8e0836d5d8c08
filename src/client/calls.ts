import type { paths } from './api.ts';

/** A method of the API, as the document writes it. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The paths that have a method. */
export type PathWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, unknown> ? P : never;
}[keyof paths];

/** What the document says of a path and a method. */
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

type PathOf<O> = O extends { parameters: { path: infer T } } ? T : never;
type QueryOf<O> = O extends { parameters: { query?: infer T } } ? T : never;
type ContentOf<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 ? R[S] : never }[keyof R]
  : never;

/** What is sent to a path: the body, as JSON. */
export type BodyOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody: { content: { 'application/json': infer B } } } ? B : never;

/** What a path answers. */
export type AnswerOf<P extends keyof paths, M extends Method> =
  ContentOf<Operation<P, M>> extends { content: { 'application/json': infer A } } ? A : never;

/** The events that a path streams. */
export type EventOf<P extends keyof paths> =
  ContentOf<Operation<P, 'post'>> extends { content: { 'text/event-stream': infer E } } ? E : never;

/** The paths whose answer comes as a stream when `stream` asks for it. */
export type StreamPath = {
  [P in PathWith<'post'>]: 'stream' extends keyof BodyOf<P, 'post'> ? P : never;
}[PathWith<'post'>];

/** What any request may have. */
export interface CallOptions {
  signal?: AbortSignal;
  headers?: Readonly<Record<string, string>>;
  /** Of a `POST` that takes one: in place of a new one; the same key and body have one effect. */
  idempotencyKey?: string;
}

type Part<Name extends string, T> = [T] extends [never]
  ? unknown
  : Record<string, never> extends T
    ? { [N in Name]?: T }
    : { [N in Name]: T };

/** What stands in the path, where something does. */
export type PathPart<P extends keyof paths, M extends Method> = Part<'path', PathOf<Operation<P, M>>>;

/** All that is told of a request. */
export type Options<P extends keyof paths, M extends Method> = CallOptions &
  PathPart<P, M> &
  Part<'query', NonNullable<QueryOf<Operation<P, M>>>> &
  Part<'body', BodyOf<P, M>>;

/** They may be left out where nothing is needed. */
export type Given<O> = Record<string, never> extends O ? [options?: O] : [options: O];

/** Sends a request by its path. @throws RequestError */
export type Call<M extends Method> = <P extends PathWith<M>>(
  path: P,
  ...options: Given<Options<P, M>>
) => Promise<AnswerOf<P, M>>;
