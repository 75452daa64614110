"""The main job as pure functions: segment, translate, project and filter rows, without Prefect and without files."""
