// The methods of the generated definitions as gRPC sees them: path, kind, and which roles may call. Roles of AdminService stand in its
// .proto (docs: admin.proto, option `allow`); whoever calls SiloService is a silo; a method that names no role may be called by nobody.

import { LIMITS } from '../base/index.js';
import type { Role as PkiRole } from '../pki/index.js';
import { ROLES } from '../pki/index.js';
import type { MessageType } from '../wire/index.js';
import { AdminServiceDefinition, decode, Role, SiloServiceDefinition, WireError } from '../wire/index.js';
import { TransportError } from './errors.js';
import type { CallKind } from './limits.js';

/** What ts-proto's generic definitions hold of a method. */
export interface MethodDefinition<Request, Response> {
  readonly name: string;
  readonly requestType: MessageType<Request>;
  readonly requestStream: boolean;
  readonly responseType: MessageType<Response>;
  readonly responseStream: boolean;
  readonly options: { readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[]>> };
}

export interface Method<Request, Response> {
  readonly path: string;
  readonly kind: CallKind;
  readonly roles: ReadonlySet<PkiRole>;
  readonly definition: MethodDefinition<Request, Response>;
}

/** Streams that have no end of their own. */
const WATCHES: readonly string[] = ['Watch', 'WatchRounds'];

function kindOf({ name, requestStream, responseStream }: MethodDefinition<unknown, unknown>): CallKind {
  if (requestStream) return 'upload';
  if (!responseStream) return 'unary';
  return WATCHES.includes(name) ? 'watch' : 'download';
}

/** Field 50001 of MethodOptions, packed: (50001 << 3) | 2, the key under which the generated code keeps what it does not know. */
const ALLOW_TAG = 400_010;

const ANNOTATED: ReadonlyMap<number, PkiRole> = new Map<number, PkiRole>([
  [Role.ROLE_OPERATOR, 'operator'],
  [Role.ROLE_AUDITOR, 'auditor'],
]);

/** The roles that a method's annotation names. Empty without one, or with one that cannot be read: then nobody may call. */
export function annotatedRoles({ options }: Pick<MethodDefinition<unknown, unknown>, 'options'>): ReadonlySet<PkiRole> {
  const roles = new Set<PkiRole>();
  // `?? []`: a method without options is generated without the table.
  for (const field of options._unknownFields?.[ALLOW_TAG] ?? []) {
    const [length, ...values] = field;
    // Lengths and roles are below 128, so each is one byte.
    if (length !== values.length) return new Set();
    for (const value of values) {
      const role = ANNOTATED.get(value);
      if (role === undefined) return new Set();
      roles.add(role);
    }
  }
  return roles;
}

const SILO_ONLY: ReadonlySet<PkiRole> = new Set<PkiRole>(['silo']);

type Silo = typeof SiloServiceDefinition.methods;
type Admin = typeof AdminServiceDefinition.methods;
type MethodOf<Definition> =
  Definition extends MethodDefinition<infer Request, infer Response> ? Method<Request, Response> : never;

function siloMethod<Request, Response>(definition: MethodDefinition<Request, Response>): Method<Request, Response> {
  return {
    path: `/${SiloServiceDefinition.fullName}/${definition.name}`,
    kind: kindOf(definition),
    roles: SILO_ONLY,
    definition,
  };
}

function adminMethod<Request, Response>(definition: MethodDefinition<Request, Response>): Method<Request, Response> {
  return {
    path: `/${AdminServiceDefinition.fullName}/${definition.name}`,
    kind: kindOf(definition),
    roles: annotatedRoles(definition),
    definition,
  };
}

const silo = SiloServiceDefinition.methods;
export const SILO_METHODS: { readonly [Name in keyof Silo]: MethodOf<Silo[Name]> } = {
  watch: siloMethod(silo.watch),
  submit: siloMethod(silo.submit),
  uploadMasked: siloMethod(silo.uploadMasked),
  uploadStatus: siloMethod(silo.uploadStatus),
  getBlob: siloMethod(silo.getBlob),
  readLog: siloMethod(silo.readLog),
  proveLog: siloMethod(silo.proveLog),
};

type AdminMethods = { readonly [Name in keyof Admin]: MethodOf<Admin[Name]> };
// Each entry is made from the definition under the same name, so it has that definition's types.
export const ADMIN_METHODS = Object.fromEntries(
  Object.entries(AdminServiceDefinition.methods).map(([name, definition]) => [
    name,
    adminMethod(definition as MethodDefinition<unknown, unknown>),
  ]),
) as unknown as AdminMethods;

/** What the gate asks before a call. */
export type Access = Pick<Method<unknown, unknown>, 'path' | 'kind' | 'roles'>;

const EVERYONE: ReadonlySet<PkiRole> = new Set(ROLES);
/** grpc.health.v1: for every member, and for nobody else. */
const HEALTH: readonly Access[] = [
  { path: '/grpc.health.v1.Health/Check', kind: 'unary', roles: EVERYONE },
  { path: '/grpc.health.v1.Health/List', kind: 'unary', roles: EVERYONE },
  { path: '/grpc.health.v1.Health/Watch', kind: 'watch', roles: EVERYONE },
];

const OFFICERS: ReadonlySet<PkiRole> = new Set<PkiRole>(['operator', 'auditor']);
export const REFLECTION: readonly Access[] = [
  { path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', kind: 'watch', roles: OFFICERS },
  { path: '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', kind: 'watch', roles: OFFICERS },
];

export const ACCESS: ReadonlyMap<string, Access> = new Map(
  [...Object.values(SILO_METHODS), ...Object.values(ADMIN_METHODS), ...HEALTH, ...REFLECTION].map((method) => [
    method.path,
    method,
  ]),
);

export function encodeMessage<T>(type: MessageType<T>, message: T): Buffer {
  const bytes = type.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whatever does not parse, or would cost more than its bytes, is the sender's fault, not ours. */
export function decodeMessage<T>(type: MessageType<T>, bytes: Uint8Array, path: string): T {
  try {
    return decode(type, `message of ${path}`, bytes, LIMITS.messageBytes);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    const code = cause.code === 'wire/too-large' ? 'transport/too-large' : 'transport/malformed';
    throw new TransportError(code, cause.message, { cause });
  }
}
