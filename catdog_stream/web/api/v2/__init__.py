"""Open Inference Protocol (V2) of MLServer, Triton and KServe, answered by the stream."""
