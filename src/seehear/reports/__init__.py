"""Reports: what a run learnt, as one self-contained HTML page and as plain tables."""

from seehear.reports.page import SECTIONS as SECTIONS
from seehear.reports.page import Curve as Curve
from seehear.reports.page import Direction as Direction
from seehear.reports.page import Drawing as Drawing
from seehear.reports.page import EmbeddingMap as EmbeddingMap
from seehear.reports.page import Example as Example
from seehear.reports.page import Hit as Hit
from seehear.reports.page import Page as Page
from seehear.reports.page import Query as Query
from seehear.reports.page import Skipped as Skipped
from seehear.reports.page import Verdict as Verdict
from seehear.reports.page import drawings as drawings
from seehear.reports.table import as_markdown as as_markdown
from seehear.reports.table import as_text as as_text
from seehear.reports.tsne import project as project
from seehear.reports.write import write_page as write_page
