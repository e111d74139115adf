"""BiSeNet V1 and V2: the nouns that the stages work with. Nothing here knows params.yaml, argv or DVC."""
