// Inputs that once broke a rule, kept as the fuzzer printed them (docs/fuzzing.md). Each has a test of its own where the mend is.

import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../src/base/index.js';
import { decode } from '../../../src/wire/index.js';
import { checked } from '../../fuzz/run.js';
import { certificatesTarget } from '../../fuzz/targets/certificates.js';
import { CODECS, readOne } from '../../fuzz/targets/wire.js';

const ofWire = (name: string, hex: string): string => {
  const codec = CODECS.find(([known]) => known === name)?.[1];
  if (codec === undefined) throw new Error(`no message ${name}`);
  return readOne(decode, name, codec, fromHex(hex)!);
};

describe('an input that once broke a rule', () => {
  it('of the wire: byte fields were views of the message', () => {
    expect(ofWire('BlobRef', '0a03010203')).toBe('accepted');
  });

  it('of the wire: what stood behind an early end was ignored', () => {
    for (const end of ['00', '04', '0c']) expect(ofWire('BlobRef', `0a03010203${end}ffff`)).toBe('wire/malformed');
  });

  it('of the wire: a list of empty rounds, the dearest thing there is for its bytes', () => {
    expect(ofWire('ListRoundsResponse', '0a000a000a000a000a000a000a000a000a000a000a00')).toBe('accepted');
  });

  it('of certificates: a time that is none, or lies before 1970, made the reader of a peer’s certificate throw', async () => {
    const target = await certificatesTarget();
    expect(await checked(target, fromHex(EARLY_CERTIFICATE)!)).toBe('pki/unreadable');
  });

  it('of certificates: a key that is none made the reader for people throw', async () => {
    const target = await certificatesTarget();
    expect(await checked(target, fromHex(ODD_KEY)!)).toBe('pki/not-spiffe');
  });
});

/** Seed 1, input 769. */
const EARLY_CERTIFICATE =
  '00308201ea30820190a00302010202105aaa0daedee5b5788237c1f866d0a592300a06082a8648ce3d040302302a310e300c060355040a13056e6f7274' +
  '68311830160603550403130f6e6f72746820617574686f72697479301e170d3236313132337137303834355a170d3236313132333138313834355a3021' +
  '310e300c060355040a13056e6f727468310f300d0603550403130673696c6f2d613059301306072a8648ce3d020106082a8648ce3d03010703420004e0' +
  'dee40f008c6fc9d757f884b4f5ed15cb4f4aad523ecc119bb4a00de8d75a6f9edb2d7664d5104174fb0278c6bc369577be567b18d1ef53367b5020c5bb' +
  '4db1a381a030819d300c0603551d130101ff04023000300e0603551d0f0101ff04040302078030160603551d250101ff040c300a06082b060105050703' +
  '02301d0603551d0e04160414d188a0c1bd8e4692debca3b7fd745680393a5f2b301f0603551d230418301680142dba3a5e44775143ab6ef4a299169f4c' +
  '29e6bb6130250603551d11041e301c861a7370696666653a2f2f6e6f7274682f73696c6f2f73696c6f2d61300a06082a8648ce3d040302034800304502' +
  '201214773d250e722968641aa171c3b4e2eb51283377c92383b239c913f7185c250221009ce37a27223331f747723773d0b9de08e709b18212c8da8b2f' +
  '6547652bb27e74';

/** Seed 1, input 21. */
const ODD_KEY =
  '003082018d30820133a00302010202104d1d068a90eb9411edcf9c77bd4c726c300a06082a8648ce3d040302302a310e300c060355040a13056e6f7274' +
  '68311830160603550403130f6e6f72746820617574686f72697479301e170d3236313132333136313830375a170d3236313132333138313830375a3012' +
  '3110300e06035504031307637261667465643059301306072a8648ce3d020106082a8648ce3d03010703420004df3e449f0db332e1b56cdf0974ea80bd' +
  'bfc1843e702c31d5e78ad82138c8c66192e523fd0908ddc01290ca51b8314e27c0eecdf8a699d069407549e10e9ea845a353305130290603551d110422' +
  '3020861e75726e3a7370696666653a2f2f6e6f727c682f73696c6f2f73696c6f2d61300c0603551d130101ff0402300030160603551d250101ff040c30' +
  '0a06082b06010505070302300a06082a8648ce3d0403020348003045022040f5f32d2f04364f0402ae03840b503c8df68650be4796db079567c54a4f0c' +
  '9e022100b07f2812379feb4be9344eb3f502531530814cdc6c2f71f152f1fba3b83a18f2';
