"""The API in the words of OpenAPI 3.1, for programs that read them."""
