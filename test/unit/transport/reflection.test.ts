// What server reflection answers; test/interop/admin.test.ts asks over the wire.

import { describe, expect, it } from 'vitest';
import { answerReflection } from '../../../src/transport/reflection.js';
import { COMPILED_FILES } from '../../../src/transport/gen/descriptors.js';
import { AdminServiceDefinition, SiloServiceDefinition } from '../../../src/wire/index.js';

describe('reflection', () => {
  it('knows every service and method that is served', () => {
    const symbols = new Set(COMPILED_FILES.flatMap((file) => file.symbols));
    for (const { fullName, methods } of [AdminServiceDefinition, SiloServiceDefinition])
      for (const { name } of Object.values(methods)) expect(symbols).toContain(`${fullName}.${name}`);
    expect(answerReflection({ host: '', ask: { $case: 'listServices', value: '*' } })).toMatchObject({
      value: { service: [{ name: AdminServiceDefinition.fullName }, { name: SiloServiceDefinition.fullName }] },
    });
  });

  it('gives a file with all that it imports', () => {
    for (const ask of [
      { $case: 'fileContainingSymbol', value: 'veilsum.v1.AdminService.ListJobs' },
      { $case: 'fileContainingSymbol', value: 'veilsum.v1.JobState' },
      { $case: 'fileByFilename', value: 'veilsum/v1/admin.proto' },
    ] as const) {
      const answer = answerReflection({ host: '', ask });
      expect(answer.$case).toBe('files');
      const { fileDescriptorProto } = answer.value as { fileDescriptorProto: Uint8Array[] };
      const names = COMPILED_FILES.filter(({ base64 }) =>
        fileDescriptorProto.some((bytes) => Buffer.from(bytes).toString('base64') === base64),
      ).map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining([
          'google/protobuf/descriptor.proto',
          'veilsum/v1/admin.proto',
          'veilsum/v1/envelope.proto',
        ]),
      );
    }
  });

  it('says what it does not have', () => {
    for (const ask of [
      { $case: 'fileContainingSymbol', value: 'veilsum.v1.Nothing' },
      { $case: 'fileByFilename', value: '../admin.proto' },
      {
        $case: 'fileContainingExtension',
        value: { containingType: 'google.protobuf.MethodOptions', extensionNumber: 1 },
      },
    ] as const)
      expect(answerReflection({ host: '', ask })).toMatchObject({ $case: 'error', value: { errorCode: 5 } });
    expect(answerReflection({ host: '', ask: undefined })).toMatchObject({ $case: 'error', value: { errorCode: 3 } });
  });
});
