"""Published image models: their architectures, and the weights that Keras publishes for them."""

from graphc.applications import imagenet_utils as imagenet_utils
from graphc.applications import mobilenet_v2 as mobilenet_v2
from graphc.applications import resnet as resnet
from graphc.applications import resnet50 as resnet50
from graphc.applications import vgg16 as vgg16
from graphc.applications import vgg19 as vgg19
from graphc.applications.mobilenet_v2 import MobileNetV2 as MobileNetV2
from graphc.applications.resnet import ResNet50 as ResNet50
from graphc.applications.vgg16 import VGG16 as VGG16
from graphc.applications.vgg19 import VGG19 as VGG19
