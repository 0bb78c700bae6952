from app.aws.connection import Connection
from app.aws.limiter import Limiter
from app.aws.log_search import filtered
from tests.aws.fakes import Answer, AwsStub
from tests.builders import NOON


async def test_of_every_page_only_what_is_wanted_is_held(
    aws: AwsStub, connection: Connection, limiter: Limiter
) -> None:
    events = [{"message": text, "logStreamName": "s"} for text in ("ours", "theirs", "theirs")]
    aws.script("FilterLogEvents", Answer({"events": events, "nextToken": "2"}), Answer({"events": events}))
    found = await filtered(
        connection, limiter, since=NOON, keep=lambda event: event["message"] == "ours", logGroupName="g"
    )
    assert [each["message"] for each in found] == ["ours", "ours"]
