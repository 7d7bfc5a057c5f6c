"""Built-in datasets, one module a family; every module here is imported when a dataset is looked up."""
