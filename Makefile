PYTHON = .venv/bin/python

.PHONY: test-kafka
test-kafka:  ## the integration tests against Apache Kafka (needs Java 17, Maven and Maven Central)
	$(PYTHON) -m tests.support.kafka $(PYTHON) -m pytest -m integration
