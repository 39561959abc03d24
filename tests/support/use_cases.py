"""Every module of use cases under one name, for tests that go through them all: `uc.cs06.Command`."""

from protocols.gbcs.use_cases import ccs01 as ccs01
from protocols.gbcs.use_cases import ccs02 as ccs02
from protocols.gbcs.use_cases import ccs03 as ccs03
from protocols.gbcs.use_cases import ccs04 as ccs04
from protocols.gbcs.use_cases import ccs07 as ccs07
from protocols.gbcs.use_cases import ccs08 as ccs08
from protocols.gbcs.use_cases import cs02a as cs02a
from protocols.gbcs.use_cases import cs02b as cs02b
from protocols.gbcs.use_cases import cs03 as cs03
from protocols.gbcs.use_cases import cs04 as cs04
from protocols.gbcs.use_cases import cs06 as cs06
from protocols.gbcs.use_cases import cs07 as cs07
from protocols.gbcs.use_cases import cs08 as cs08
from protocols.gbcs.use_cases import cs09 as cs09
from protocols.gbcs.use_cases import cs14 as cs14
from protocols.gbcs.use_cases import ecs52 as ecs52
from protocols.gbcs.use_cases import ecs70 as ecs70
from protocols.gbcs.use_cases import ecs80 as ecs80
from protocols.gbcs.use_cases import ecs100 as ecs100
from protocols.gbcs.use_cases import fdra as fdra
from protocols.gbcs.use_cases import gcs28 as gcs28
from protocols.gbcs.use_cases import gcs38 as gcs38
from protocols.gbcs.use_cases import gcs59 as gcs59
from protocols.gbcs.use_cases import gcs62 as gcs62
from protocols.gbcs.use_cases import generic_alert as generic_alert
from protocols.gbcs.use_cases import miiwa as miiwa
