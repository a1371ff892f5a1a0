// Who is let in, on every call: docs/protocol.md §5.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ACT_KINDS } from '../../../coordinator/admin/index.js';
import { ROLES, type Role } from '../../../src/pki/index.js';
import { ACCESS, annotatedRoles } from '../../../src/transport/methods.js';
import type { TlsMaterial } from '../../../src/transport/index.js';
import { OddAuthority } from '../../support/odd-certificate.js';
import { dial, rawCall } from '../../support/raw-call.js';
import { serve, silo, TestAuthority, TestClock, until } from '../../support/transport.js';

const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
const STATUS_PATH = '/veilsum.v1.SiloService/UploadStatus';
const answering = { silo: { uploadStatus: () => Promise.resolve({ durableBytes: 5n }) } };
const request = { rid: new Uint8Array(32), attempt: 1 };

/** The methods of a .proto with the roles that stand there: read from the text, not from what was generated of it. */
function rolesIn(file: string): Map<string, readonly Role[]> {
  const text = readFileSync(`proto/veilsum/v1/${file}`, 'utf8');
  return new Map(
    [...text.matchAll(/^ {2}rpc (\w+)\([^)]*\) returns \([^)]*\)(;| \{\n([\s\S]*?)\n {2}\})/gm)].map(
      ([, name = '', , body = '']) => [
        name,
        [...body.matchAll(/\(allow\) = ROLE_(\w+)/g)].map(([, role = '']) => role.toLowerCase() as Role),
      ],
    ),
  );
}

let authority: TestAuthority;
const certificates = {} as Record<Role, TlsMaterial>;
beforeAll(async () => {
  authority = await TestAuthority.create();
  for (const role of ROLES)
    certificates[role] = await authority.member(role, role === 'coordinator' ? role : `${role}-1`);
});

describe('roles', () => {
  const allowed = new Map<string, readonly Role[]>([
    ...[...rolesIn('silo.proto').keys()].map((name) => [`/veilsum.v1.SiloService/${name}`, ['silo']] as const),
    ...[...rolesIn('admin.proto')].map(([name, roles]) => [`/veilsum.v1.AdminService/${name}`, roles] as const),
    ...['v1', 'v1alpha'].map(
      (version) =>
        [`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, ['operator', 'auditor']] as const,
    ),
    ...['Check', 'List', 'Watch'].map((name) => [`/grpc.health.v1.Health/${name}`, ROLES] as const),
  ]);

  it('covers every method there is', () => {
    expect(allowed.size).toBeGreaterThan(20);
    expect([...ACCESS.keys()].sort()).toEqual([...allowed.keys()].sort());
  });

  it('lets auditors call what changes nothing, and operators everything', () => {
    for (const [name, kind] of Object.entries(ACT_KINDS)) {
      const path = `/veilsum.v1.AdminService/${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
      expect([path, allowed.get(path)]).toEqual([path, kind === 'act' ? ['operator'] : ['operator', 'auditor']]);
    }
  });

  for (const role of ['silo', 'operator', 'auditor'] as const)
    it(`lets a certificate of role ${role} call exactly its methods`, async () => {
      const server = await serve(authority);
      const session = dial(server.address, { tls: certificates[role] });
      for (const [path, roles] of allowed) {
        // A health watch that is let in never ends.
        if (path.endsWith('Health/Watch')) continue;
        const { status, code } = await rawCall(session, path);
        if (roles.includes(role)) expect([PERMISSION_DENIED, UNAUTHENTICATED], path).not.toContain(status);
        else expect([path, status, code]).toEqual([path, PERMISSION_DENIED, 'transport/wrong-role']);
      }
    });

  it('refuses a method that names no role, or one that cannot be read', () => {
    const rolesOf = (...fields: Uint8Array[]): Role[] => [
      ...annotatedRoles({ options: { _unknownFields: { 400010: fields } } }),
    ];
    expect(annotatedRoles({ options: {} }).size).toBe(0);
    expect(rolesOf(Uint8Array.of(2, 1, 2))).toEqual(['operator', 'auditor']);
    expect(rolesOf(Uint8Array.of(1, 3))).toEqual([]);
    expect(rolesOf(Uint8Array.of(1, 0))).toEqual([]);
    expect(rolesOf(Uint8Array.of(2, 1))).toEqual([]);
    expect(rolesOf(Uint8Array.of())).toEqual([]);
  });
});

describe('certificates', () => {
  it('refuses a caller of another authority', async () => {
    const server = await serve(authority, answering);
    const other = await (await TestAuthority.create()).member('silo', 'alpha');
    const session = dial(server.address, { tls: { ...other, authorityPem: authority.certificatePem } });
    expect((await rawCall(session, STATUS_PATH)).status).toBe('broken');
  });

  it('refuses a caller without a certificate', async () => {
    const server = await serve(authority, answering);
    const session = dial(server.address, { tls: { authorityPem: authority.certificatePem } });
    expect((await rawCall(session, STATUS_PATH)).status).toBe('broken');
  });

  it('refuses TLS below 1.3', async () => {
    const server = await serve(authority, answering);
    const [old, current] = (['TLSv1.2', 'TLSv1.3'] as const).map((maxVersion) =>
      dial(server.address, { tls: certificates.silo, maxVersion }),
    );
    expect((await rawCall(old!, STATUS_PATH)).status).toBe('broken');
    expect((await rawCall(current!, STATUS_PATH)).status).toBe(0);
  });

  it('refuses a certificate without a role, with two, or of another consortium', async () => {
    const odd = await OddAuthority.create();
    const server = await serve(authority, {
      ...answering,
      tls: await odd.issue(['spiffe://north/coordinator']),
    });
    const cases = [
      [[], 'pki/no-uri'],
      [['spiffe://north/silo/alpha', 'spiffe://north/silo/beta'], 'pki/many-uris'],
      [['spiffe://south/silo/alpha'], 'pki/other-consortium'],
      [['spiffe://north/admin/alpha'], 'pki/not-spiffe'],
      // Good for both sides of a connection, which our authority never issues.
      [['spiffe://north/silo/alpha'], 'pki/wrong-usage'],
    ] as const;
    for (const [uris, code] of cases) {
      const session = dial(server.address, { tls: await odd.issue(uris) });
      expect(await rawCall(session, STATUS_PATH)).toMatchObject({ status: UNAUTHENTICATED, code });
    }
  });

  it('refuses a certificate that has expired on a connection that lives on', async () => {
    const clock = new TestClock();
    const server = await serve(authority, { ...answering, clock });
    const client = silo(server.address, await authority.member('silo', 'alpha', { lifetimeMs: 60_000 }));
    expect(await client.uploadStatus(request)).toEqual({ durableBytes: 5n });
    clock.offsetMs = 61_000;
    await expect(client.uploadStatus(request)).rejects.toMatchObject({ code: 'pki/expired', category: 'identity' });
  });

  it('refuses a revoked certificate at its next call, and ends its watch', async () => {
    const revoked = new Set<string>();
    const server = await serve(authority, {
      silo: {
        ...answering.silo,
        async *watch(_caller, _request, signal) {
          yield { sequence: 1n, body: undefined };
          await new Promise((resolve) => {
            signal.addEventListener('abort', resolve);
          });
        },
      },
      limits: { heartbeatMs: 5 },
      revocations: { isRevoked: (serial) => revoked.has(serial) },
    });
    const tls = await authority.member('silo', 'alpha');
    const breaks: string[] = [];
    const client = silo(server.address, tls, { onBreak: (error) => breaks.push(error.code) });
    const leave = new AbortController();
    let directives = 0;
    const watching = client.watch(
      () => 0n,
      () => Promise.resolve(void (directives += 1)),
      leave.signal,
    );
    expect(await client.uploadStatus(request)).toEqual({ durableBytes: 5n });
    await until(() => directives === 1);
    revoked.add(new X509Certificate(tls.chainPem).serialNumber.toLowerCase().replace(/^0+/, ''));
    await expect(client.uploadStatus(request)).rejects.toMatchObject({ code: 'pki/revoked', category: 'identity' });
    await until(() => breaks.length > 0);
    expect(breaks[0]).toBe('pki/revoked');
    leave.abort();
    await watching;
    // Another silo is none the worse.
    expect(await silo(server.address, certificates.silo).uploadStatus(request)).toEqual({ durableBytes: 5n });
  });
});

describe('the server, as its callers see it', () => {
  it('is refused when it is not the coordinator of the consortium', async () => {
    const odd = await OddAuthority.create();
    const tls = await authority.member('silo', 'alpha');
    for (const uri of ['spiffe://north/silo/beta', 'spiffe://south/coordinator', 'spiffe://north/coordinator']) {
      const shown = await odd.issue([uri]);
      const server = await serve(authority, {
        ...answering,
        tls: { ...shown, authorityPem: authority.certificatePem },
      });
      const client = silo(server.address, { ...tls, authorityPem: shown.authorityPem });
      await expect(client.uploadStatus(request)).rejects.toMatchObject({
        code: 'transport/wrong-server',
        category: 'identity',
      });
    }
  });

  it('is refused under another host name', async () => {
    const server = await serve(authority, answering);
    const client = silo(server.address, certificates.silo, { serverName: 'elsewhere.example' });
    await expect(client.uploadStatus(request)).rejects.toMatchObject({ code: 'transport/wrong-server' });
    const right = silo(server.address, certificates.silo, { serverName: 'localhost' });
    expect(await right.uploadStatus(request)).toEqual({ durableBytes: 5n });
  });

  it('is refused when another authority has signed for it', async () => {
    const server = await serve(authority, answering);
    const client = silo(
      server.address,
      { ...certificates.silo, authorityPem: (await TestAuthority.create()).certificatePem },
      { limits: { triesMax: 2 } },
    );
    await expect(client.uploadStatus(request)).rejects.toMatchObject({ code: 'transport/unreachable' });
  });

  it('takes a renewed certificate while it runs, and refuses a torn pair', async () => {
    const server = await serve(authority, answering);
    const renewed = await authority.member('coordinator', 'coordinator');
    expect(() => {
      server.replaceCertificate({ ...renewed, privateKeyPem: certificates.silo.privateKeyPem });
    }).toThrow();
    expect(await silo(server.address, certificates.silo).uploadStatus(request)).toEqual({ durableBytes: 5n });
    server.replaceCertificate(renewed);
    const session = dial(server.address, { tls: certificates.silo });
    expect((await rawCall(session, STATUS_PATH)).status).toBe(0);
    const { socket } = session as unknown as { socket: { getPeerX509Certificate(): X509Certificate } };
    expect(socket.getPeerX509Certificate().fingerprint256).toBe(new X509Certificate(renewed.chainPem).fingerprint256);
  });

  it('sees a caller’s renewed certificate on its next call', async () => {
    const serials: string[] = [];
    const server = await serve(authority, {
      ...answering,
      revocations: { isRevoked: (serial) => serials.push(serial) < 0 },
    });
    const client = silo(server.address, certificates.silo);
    await client.uploadStatus(request);
    client.replaceCertificate(await authority.member('silo', 'silo-1'));
    await client.uploadStatus(request);
    expect(new Set(serials).size).toBe(2);
  });
});
