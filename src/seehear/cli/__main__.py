"""`python -m seehear.cli`, which is also what `torchrun -m seehear.cli pretrain ...` runs."""

import sys

from seehear.cli import main

sys.exit(main())
