from catdog_stream.pipelines import PipelineApp
from catdog_stream.records import Label

app = PipelineApp("cats")
labels, cats = app.raw_topic("catdoglabel"), app.raw_topic("cats")


@app.agent(labels)
async def only_cats(records):
    async for event in records.events():
        label = Label.parse(event.value, event.headers)
        if label is not None and label.verdict == "cat":
            await (await cats.send(key=event.key, value=event.value, headers=event.headers))


if __name__ == "__main__":
    app.main()
