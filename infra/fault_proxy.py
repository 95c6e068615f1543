#!/usr/bin/env python3
"""Serves microburst, a proxy that lets calls of AWS fail, with what Batchfleet needs added.

    fault_proxy.py UPSTREAM SEED

It listens on a free port of 127.0.0.1, prints its address, and ends when its standard input does,
so that it cannot outlive whoever started it. Its rules and counts are at /_microburst/rules.

Where it differs from AWS, in microburst 0.10.0:

It cannot lose an answer whole: it sends the head before it cuts the body, and an
answer without a body, such as that of an S3 PutObject, it never cuts. Here `response:
{abort_bytes: 0}` means that the call goes through and not one byte of its answer comes back.

It names SQS's throttle AWS.SimpleQueueService.RequestThrottled, which no SDK knows as one. SQS's own
name has no such beginning.
"""

import asyncio
import random
import sys

from aiohttp import web
from microburst import forward, models
from microburst.app import make_app
from microburst.core.pipeline import Microburst

send_answer = forward._stream_to_client


async def send_or_lose_answer(request, status, headers, mutator, chunks):
    if mutator is None or mutator.abort_bytes != 0:
        return await send_answer(request, status, headers, mutator, chunks)
    async for _ in chunks:
        pass  # Only then the call has surely gone through.
    request.transport.abort()
    return web.Response()  # Never sent: there is no connection any more.


async def serve(upstream):
    runner = web.AppRunner(make_app(Microburst(upstream)), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    # It draws from the global generator whether a rule fires.
    random.seed(sys.argv[2])
    forward._stream_to_client = send_or_lose_answer
    del models._QUERY_ERROR_NAMESPACE["sqs"]
    asyncio.run(serve(sys.argv[1]))


if __name__ == "__main__":
    main()
