"""Every volume of files as a projected one: a ConfigMap's or Secret's is a projection of one source."""

from app.model.volume import ProjectedFields, ProjectedObject, ProjectedVolume, Projection, Volume


def projected(volume: Volume) -> ProjectedVolume | None:
    """The volume's sources and mode; None for a volume that is not made of files.

    https://kubernetes.io/docs/concepts/storage/projected-volumes/
    """
    if (held := volume.config_map) is not None:
        source = Projection(
            config_map=ProjectedObject(name=held.name, items=held.items, optional=held.optional)
        )
        return ProjectedVolume(sources=(source,), default_mode=held.default_mode)
    if (kept := volume.secret) is not None:
        source = Projection(
            secret=ProjectedObject(name=kept.secret_name, items=kept.items, optional=kept.optional)
        )
        return ProjectedVolume(sources=(source,), default_mode=kept.default_mode)
    if (told := volume.downward_api) is not None:
        source = Projection(downward_api=ProjectedFields(items=told.items))
        return ProjectedVolume(sources=(source,), default_mode=told.default_mode)
    return volume.projected
