import json

from catdog_stream.pipelines import PipelineApp

app = PipelineApp("audit")
lines = app.raw_topic("audit")


@app.agent(app.answers())
async def audit(records):
    async for joined in app.joined(records):
        answer = joined.label.verdict if joined.label else joined.rejection.reason
        url = json.loads(joined.request.value)["url"] if joined.request else None
        line = {"source": str(joined.source), "url": url, "answer": answer}
        await (await lines.send(value=json.dumps(line).encode()))


if __name__ == "__main__":
    app.main()
