"""Calls a coordinator's AdminService with Python's grpcio, knowing no .proto: the messages are built from what server reflection gives.

Usage: admin.py ADDRESS CA CHAIN KEY; prints one JSON object. Needs grpcio and protobuf, as Debian packages them.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


def fields(data):
    """Length-delimited fields of a message as (number, bytes)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            varint()
            continue
        assert tag & 7 == 2, "a wire type that reflection does not use"
        length = varint()
        yield tag >> 3, data[at : at + length]
        at += length


def text_field(number, text):
    data = text.encode()
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def reflect(channel, version, *questions):
    raw = lambda data: data
    ask = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo", request_serializer=raw, response_deserializer=raw
    )
    return [dict(fields(answer)) for answer in ask(iter(questions))]


def main(address, ca, chain, key):
    read = lambda path: open(path, "rb").read()
    credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(chain))
    channel = grpc.secure_channel(address, credentials)
    answers = reflect(channel, "v1", text_field(7, "*"), text_field(4, "veilsum.v1.AdminService"), text_field(4, "no.Such"))
    services = [dict(fields(one))[1].decode() for _, one in fields(answers[0][6])]
    old = reflect(channel, "v1alpha", text_field(3, "veilsum/v1/admin.proto"))

    pool = descriptor_pool.DescriptorPool()
    waiting = [descriptor_pb2.FileDescriptorProto.FromString(data) for _, data in fields(answers[1][4])]
    known = set()
    while waiting:
        ready = [one for one in waiting if all(name in known for name in one.dependency)]
        assert ready, "a file that is imported is missing"
        for one in ready:
            pool.Add(one)
            known.add(one.name)
            waiting.remove(one)
    factory = message_factory.MessageFactory(pool)
    service = pool.FindServiceByName("veilsum.v1.AdminService")

    def call(name, request):
        method = service.FindMethodByName(name)
        question, answer = factory.GetPrototype(method.input_type), factory.GetPrototype(method.output_type)
        kind = channel.unary_stream if name.startswith("Export") else channel.unary_unary
        path = f"/veilsum.v1.AdminService/{name}"
        return kind(path, request_serializer=question.SerializeToString, response_deserializer=answer.FromString)(
            question(**request)
        )

    try:
        call("GetJob", {"job_id": "no-such-job"})
        refused = None
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata())
        detail = dict(fields(dict(fields(trailers["grpc-status-details-bin"]))[3]))
        info = dict(fields(detail[2]))
        refused = {
            "status": error.code().name,
            "message": error.details(),
            "code": trailers["veilsum-code"],
            "type": detail[1].decode(),
            "reason": info[1].decode(),
            "domain": info[2].decode(),
        }
    jobs = call("ListJobs", {"fields": ["job_id", "state"]})
    rounds = call("ListRounds", {"job_id": "job-1", "first_round": 2, "page_size": 1})
    artefact = b"".join(one.data for one in call("ExportArtefact", {"job_id": "job-1", "round": 1, "artefact": 3}))
    print(
        json.dumps(
            {
                "grpcio": grpc.__version__,
                "services": services,
                "missing": 7 in answers[2],
                "alpha": 4 in old[0],
                "info": json_format.MessageToDict(call("GetServerInfo", {})),
                "jobs": json_format.MessageToDict(jobs),
                "rounds": [one.round for one in rounds.rounds],
                "more": rounds.next_page_token != "",
                "transcript": len(artefact),
                "refused": refused,
            }
        )
    )


main(*sys.argv[1:])
