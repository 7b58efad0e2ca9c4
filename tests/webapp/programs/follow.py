"""follow RUN AFTER LAST: follow the run live until event LAST. Says when it listens, then prints the numbers received and the delays.

It never looks by itself: what other processes write is found by wake-ups alone.

A delay is from the event's time (before its transaction) to its arrival here.
"""

import asyncio
import json
import sys
import time
from contextlib import aclosing

from webapp.events import tail

tail.FALLBACK_SECONDS = 3_600.0


async def main(run_id: str, after: int, last: int) -> None:
    received: list[int] = []
    delays: list[float] = []
    print("listening", flush=True)
    async with aclosing(tail.tail(run_id, after)) as chunks:  # type: ignore[type-var, arg-type]
        async for records in chunks:
            now = time.time()
            received += [record["seq"] for record in records]
            delays += [now - record["time"] for record in records]
            if received and received[-1] >= last:
                break
    print(json.dumps({"received": received, "delays": delays}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
