"""`python -m seehear`, which is also what `torchrun -m seehear pretrain ...` runs."""

import sys

from seehear.cli import main

sys.exit(main())
