"""`python -m cloud_sink` is `sealcam-sink`."""

import sys

from cloud_sink.cli import main

sys.exit(main())
