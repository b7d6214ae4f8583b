"""The Open Inference Protocol (V2), which MLServer, Triton and KServe speak, over the stream."""
