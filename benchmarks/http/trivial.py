"""The floor: the same framework and server, a POST that only validates the same body, and a GET that reads nothing."""

import sys

from fastapi import FastAPI
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from pydantic import ConfigDict

from domain.commands import RecordPayment

app = FastAPI(openapi_url=None)


class Payment(RecordPayment):
    """The same fields and checks; the framework gives a model what JSON has become, where a date is a text."""

    model_config = ConfigDict(strict=False)


@app.post("/payments", status_code=201)
async def post(body: Payment) -> dict[str, str | int]:
    """Answers as long as an outcome is."""
    return {
        "status": "booked",
        "position": "0:123456",
        "events": 1,
        "document": f"payment::{body.number}:1",
        "version": 1,
    }


@app.get("/balance")
async def get(customer: str, currency: str) -> dict[str, object]:
    """Answers as long as a balance is."""
    row = {
        "customer": customer,
        "currency": currency,
        "role": "unapplied",
        "account": "2203",
        "amount": -100,
        "base_amount": -100,
        "explain": {"amount": f"balance/demo/{customer}/{currency}/unapplied/2203//0:123456"},
    }
    return {"data": [row], "next": None, "position": "0:123456"}


def main() -> None:
    """Serve at a port, one process."""
    Server(
        "benchmarks.http.trivial:app",
        port=int(sys.argv[1]),
        interface=Interfaces.ASGI,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
