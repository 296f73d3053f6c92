"""What the launch's pages show: frozen values made of the service's, with every number already in words."""

__all__: list[str] = []
