"""Settings of the watermarks of the pressure on real nodes."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from app.model.setting import named
from app.settings.common import Duration

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Watermarks(BaseSettings):
    """When real nodes count as full, and when no longer."""

    high_watermark: Share = Field(
        0.9,
        description="From this share on (requested over allocatable, the largest of cpu, memory and pods) "
        "the pressure on the nodes that a pod could use is high.",
    )
    low_watermark: Share = Field(
        0.75, description="At this share and below it is low again; less than high-watermark."
    )
    dwell: Duration = Field(
        timedelta(seconds=60), description="How long the pressure stays high, or low, at least."
    )

    @model_validator(mode="after")
    def _low_below_high(self) -> Self:
        if self.low_watermark >= self.high_watermark:
            raise ValueError(
                f"{named('extender', 'low_watermark')} {self.low_watermark:g} is not less than "
                f"{named('extender', 'high_watermark')} {self.high_watermark:g}: the pressure would be "
                "high and low at once"
            )
        return self
