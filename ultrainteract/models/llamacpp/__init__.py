"""llama.cpp inside this process: GGUF models on machines without a GPU, or with one that vLLM does not serve."""
