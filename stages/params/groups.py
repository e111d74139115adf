"""Which parameters a training has, grouped by what takes them."""

RUN = "model", "dataset", "recipe", "architecture", "pretrained", "accumulate", "amp", "ema", "teacher"
ORDER = "seed", "batch_size", "max_iter"
COURSE = "max_iter", "log_every", "val_every", "patience"
SIZES = "size_schedule", "max_iter"
AUGMENTATION = "crop", "resize", "scales", "flip", "jitter"
TEACHER = "teacher_weight", "teacher_temperature", "batch_size", "dataset"
LOSS = "ohem_threshold", "aux_weight", "class_weights"
OPTIM = "optimizer", "momentum", "lr", "head_lr_factor", "weight_decay"
SCHEDULE = "schedule", "max_iter", "power", "gamma", "milestones", "warmup", "warmup_iters", "warmup_start"
RECORDED = *RUN, *ORDER, *COURSE, *SIZES, *AUGMENTATION, *LOSS, *TEACHER, *OPTIM, *SCHEDULE
PLACE = "data_root", "device", "gpu_wait", "deterministic", "workers", "cache", "save_every", "skip_nonfinite"
