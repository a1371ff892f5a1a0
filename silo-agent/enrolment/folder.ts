// The folder of an agent that was enrolled: where its keys, certificates and configuration lie. The names are those of docs/samples.

import { join } from 'node:path';

export interface AgentFolder {
  readonly config: string;
  readonly signingKey: string;
  readonly cosigningKey: string;
  readonly bundle: string;
  /** TLS key and request of an enrolment that has not ended: asking again with the same key is the same enrolment. */
  readonly pending: string;
  readonly authorities: string;
  readonly roster: string;
  readonly secrets: string;
}

export function folderOf(dir: string, silo: string): AgentFolder {
  const secrets = join(dir, 'secrets');
  return {
    config: join(dir, 'agent.yaml'),
    signingKey: join(secrets, `${silo}.signing.key`),
    cosigningKey: join(secrets, `${silo}.cosigning.key`),
    bundle: join(secrets, `${silo}.tls.pem`),
    pending: join(secrets, `${silo}.tls.pending`),
    authorities: join(dir, 'consortium-ca.pem'),
    roster: join(dir, 'roster.bin'),
    secrets,
  };
}
