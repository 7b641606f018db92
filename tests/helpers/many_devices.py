"""Virtual devices of one CPU, of which a test uses some."""

import contextlib

from itune.utils.devices import use_devices


@contextlib.contextmanager
def on_devices(count, *, divide_params=False):
    """Let the work inside be spread over some devices."""
    use_devices(count, divide_params=divide_params)
    try:
        yield
    finally:
        use_devices(1)
