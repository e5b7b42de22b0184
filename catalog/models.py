"""The models of the catalog's rooms, where Django looks for them."""

from catalog.offerings.models import Offering as Offering
from catalog.offerings.models import RateCard as RateCard
from catalog.offerings.models import RateCardItem as RateCardItem
from catalog.sites.models import Cluster as Cluster
from catalog.sites.models import Hub as Hub
from catalog.sites.models import Metro as Metro
from catalog.sites.models import Site as Site
from catalog.sites.models import SiteLatency as SiteLatency
from catalog.taxonomy.models import ReferenceVersion as ReferenceVersion
from catalog.taxonomy.models import ResourceType as ResourceType
from catalog.taxonomy.models import ServiceClass as ServiceClass
from catalog.taxonomy.models import ServiceForm as ServiceForm
