"""`python -m demo`: the same as `sealcam`."""

import sys

from demo.cli import main

sys.exit(main())
