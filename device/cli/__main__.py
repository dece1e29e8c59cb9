"""`python -m device.cli`: the same as `sealcam`."""

import sys

from device.cli import main

sys.exit(main())
