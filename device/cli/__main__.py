"""`python -m device.cli`: `sealcam` without `sealcam demo`."""

import sys

from device.cli import main

sys.exit(main())
