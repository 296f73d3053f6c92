"""The gateway: takes requests as OpenAI's API has them, and carries each to a provider whose answer is paid for."""
